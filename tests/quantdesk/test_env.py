import re
from pathlib import Path
from typing import get_type_hints

import pytest

from quantdesk.env import BASE_DIR, DEMO_SECRET_PREFIX, Environment, read
from quantdesk.errors import ConfigurationError

SECRET = "k3Jx-0pQ9_vLr8TzWm2nBf5HsYd7GcAe1UoXiKqRtPwZlMjN4aE6uS"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": SECRET,
    "DATABASE_URL": "postgresql://app:pw@db/quantdesk",
    "REDIS_URL": "redis://redis:6379/0",
    "ALLOWED_HOSTS": "desk.example.org",
}


def example_settings() -> dict[str, str]:
    lines = (BASE_DIR / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_it_lists_every_setting_once_in_the_example() -> None:
    names = re.findall(r"^([A-Z_]+)=", (BASE_DIR / ".env.example").read_text(), re.MULTILINE)
    assert sorted(names) == sorted(name.upper() for name in Environment.__struct_fields__)


def test_it_reads_the_example_as_the_defaults() -> None:
    assert read(example_settings()) == Environment()


def test_it_says_of_every_setting_what_it_must_be() -> None:
    kinds = get_type_hints(Environment, include_extras=True)
    assert all(kind.__metadata__[0].description for kind in kinds.values())


def test_it_reads_types() -> None:
    settings = read({"DEBUG": "true", "ENGINE_QUEUE_LIMIT": "7", "LOG_LEVEL": "DEBUG", "UNKNOWN": "ignored"})
    assert (settings.debug, settings.engine_queue_limit, settings.log_level) == (True, 7, "DEBUG")


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("DEBUG", "maybe", "true or false"),
        ("ENVIRONMENT", "staging", "demo, test or production"),
        ("ENGINE_QUEUE_LIMIT", "0", "a whole number above 0"),
        ("ENGINE_QUEUE_LIMIT", "many", "a whole number above 0"),
        ("ENGINE_METRICS_PORT", "65536", "a port"),
        ("DATABASE_URL", "mysql://app:secret-word@db/x", "postgresql://"),
        ("DATABASE_URL", "postgresql://app:secret-word@db:port/x", "postgresql://"),
        ("REDIS_URL", "localhost:6379", "redis://"),
        ("ENGINE_URL", "unix://", "unix:///path"),
        ("HERMES_URL", "ftp://hermes", "http(s)"),
        ("ORACLE_FEED", "crystal-ball", "auto, hermes"),
        ("LOG_LEVEL", "LOUD", "DEBUG, INFO"),
    ],
)
def test_it_refuses_a_wrong_value_by_name_and_form(name: str, value: str, form: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read({name: value})
    message = str(refusal.value)
    assert message.startswith(f"{name} must be ")
    assert form in message
    assert "secret-word" not in message


def test_it_accepts_a_safe_production() -> None:
    assert read(PRODUCTION).environment == "production"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "true"),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "abcd" * 20),
        ("SECRET_KEY", DEMO_SECRET_PREFIX + SECRET),
        ("DATABASE_URL", ""),
        ("REDIS_URL", ""),
        ("ORACLE_FEED", "sim"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "desk.example.org,*"),
    ],
)
def test_it_refuses_an_unsafe_production(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} must"):
        read(PRODUCTION | {name: value})


def test_it_keeps_data_beside_the_project_by_default() -> None:
    assert Path(Environment().data_dir) == BASE_DIR / ".desk"
