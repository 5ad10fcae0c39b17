"""The settings that come from the environment: typed, all listed in .env.example, refused at start when wrong."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from quantdesk.errors import ConfigurationError

BASE_DIR = Path(__file__).resolve().parent.parent
DEMO_SECRET_PREFIX = "demo-only-"  # noqa: S105 marks a key made for a demo, so that production can refuse it
MIN_SECRET_LENGTH = 50
SCHEMES = {
    "database_url": ("postgresql",),
    "database_owner_url": ("postgresql",),
    "redis_url": ("redis", "rediss", "unix"),
    "engine_url": ("unix", "tcp"),
    "hermes_url": ("https", "http"),
    "coingecko_url": ("https", "http"),
    "pyth_solana_rpc_url": ("https", "http"),
    "pyth_legacy_rpc_url": ("https", "http"),
    "solana_rpc_url": ("https", "http"),
}


def form(description: str) -> Meta:
    """Describe what a setting's value must be; the text ends the sentence `X must be …`."""
    return Meta(description=description)


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is the environment variable of the same name in capitals."""

    environment: Annotated[Literal["demo", "test", "production"], form("demo, test or production")] = "demo"
    debug: Annotated[bool, form("true or false")] = False
    secret_key: Annotated[str, form("a random text of at least 50 characters")] = ""
    allowed_hosts: Annotated[str, form("host names, separated by commas")] = "localhost,127.0.0.1,[::1]"
    csrf_trusted_origins: Annotated[str, form("origins such as https://desk.example.org, separated by commas")] = ""
    database_url: Annotated[str, form("postgresql://user:password@host:port/name")] = ""
    database_owner_url: Annotated[str, form("postgresql://owner:password@host:port/name")] = ""
    redis_url: Annotated[str, form("redis://…, rediss://… or unix:///path/to/socket")] = ""
    engine_url: Annotated[str, form("unix:///path/to/socket or tcp://host:port")] = ""
    data_dir: Annotated[str, form("the path of a folder")] = str(BASE_DIR / ".desk")
    oracle_feed: Annotated[Literal["auto", "hermes", "solana", "coingecko", "sim"], form("auto, hermes, solana, coingecko or sim")] = "auto"
    hermes_url: Annotated[str, form("an http(s) address")] = "https://hermes.pyth.network"
    hermes_api_key: Annotated[str, form("a text")] = ""
    coingecko_url: Annotated[str, form("an http(s) address")] = "https://api.coingecko.com"
    coingecko_api_key: Annotated[str, form("a text")] = ""
    pyth_solana_rpc_url: Annotated[str, form("an http(s) address")] = ""
    pyth_solana_shard: Annotated[int, Meta(ge=0, le=65_535, description="a number from 0 to 65535")] = 0
    pyth_legacy_rpc_url: Annotated[str, form("an http(s) address")] = ""
    solana_rpc_url: Annotated[str, form("an http(s) address")] = ""
    chain_dir: Annotated[str, form("the path of a folder")] = ""
    chain_programs: Annotated[str, form("the path of a folder")] = ""
    proof_retention_days: Annotated[int, Meta(ge=1, le=36_500, description="a number of days from 1 to 36500")] = 400
    sockets_per_user: Annotated[int, Meta(ge=1, description="a whole number above 0")] = 10
    sockets_per_address: Annotated[int, Meta(ge=1, description="a whole number above 0")] = 40
    metrics_token: Annotated[str, form("a text")] = ""
    engine_queue_limit: Annotated[int, Meta(ge=1, description="a whole number above 0")] = 20_000
    engine_metrics_port: Annotated[int, Meta(ge=0, le=65_535, description="a port, or 0 for none")] = 0
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], form("DEBUG, INFO, WARNING or ERROR")] = "INFO"


def read(source: Mapping[str, str]) -> Environment:
    """Return the settings in `source`, empty ones left at their defaults; ConfigurationError names the one that is wrong."""
    values = {name: _value(name, kind, source[name.upper()]) for name, kind in _kinds().items() if source.get(name.upper())}
    environment = Environment(**values)
    if environment.environment == "production":
        _refuse_unsafe(environment)
    return environment


def _kinds() -> dict[str, Any]:
    return get_type_hints(Environment, include_extras=True)


def _value(name: str, kind: Any, text: str) -> Any:
    """Convert one variable. The message keeps the value to itself: it may hold a password."""
    wrong = ConfigurationError(f"{name.upper()} must be {kind.__metadata__[0].description}")
    try:
        value = msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise wrong from error
    if name in SCHEMES and not _is_url(text, SCHEMES[name]):
        raise wrong
    return value


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        known = parts.scheme in schemes and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return known and bool(parts.netloc or parts.path.strip("/"))


def _refuse_unsafe(environment: Environment) -> None:
    """Refuse what only a demo may have."""
    secret = environment.secret_key
    checks = (
        (environment.debug, "DEBUG must be false in production"),
        (not secret, "SECRET_KEY must be set in production"),
        (secret.startswith(DEMO_SECRET_PREFIX), "SECRET_KEY must not be a demo's in production: make a new one"),
        (
            len(secret) < MIN_SECRET_LENGTH or len(set(secret)) < 10,
            f"SECRET_KEY must be random and at least {MIN_SECRET_LENGTH} characters long in production",
        ),
        (not environment.database_url, "DATABASE_URL must be set in production"),
        (not environment.redis_url, "REDIS_URL must be set in production"),
        (environment.oracle_feed == "sim", "ORACLE_FEED must not be sim in production: prices there are real"),
        ("*" in environment.allowed_hosts, "ALLOWED_HOSTS must name the hosts in production, without wildcards"),
    )
    for unsafe, message in checks:
        if unsafe:
            raise ConfigurationError(message)


env = read(os.environ)
