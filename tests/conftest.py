"""Tests run on real servers: those of DATABASE_URL and REDIS_URL, else embedded ones that start here and end with the run."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import django
import hypothesis
import psycopg
import pytest
from django.conf import settings

from accounts import limits
from quantdesk.embedded.addresses import postgres_url, valkey_url
from quantdesk.embedded.places import postgres_home
from quantdesk.embedded.roles import ADMIN, OWNER
from quantdesk.embedded.servers import Servers
from tests.support import emptying

Case = TypeVar("Case")
# Killed processes are part of the tests, a machine that loses its power is not.
FAST_POSTGRES = {"fsync": "off", "max_connections": "200", "shared_buffers": "128MB", "max_wal_size": "512MB"}


def start_servers() -> Servers | None:
    """Start what the environment does not name. Set up here, not in a fixture: Django's settings need the addresses at import."""
    os.environ.setdefault("ENVIRONMENT", "test")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "quantdesk.settings")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        take_share(worker)
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        if "DATA_DIR" not in os.environ:
            os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="quantdesk-tests-")
            atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)
        return None
    data_dir = Path(tempfile.mkdtemp(prefix="quantdesk-tests-"))
    embedded = Servers(data_dir, postgres_settings=FAST_POSTGRES)
    embedded.start()
    with psycopg.connect(postgres_url(data_dir, ADMIN, "postgres")) as connection:
        connection.execute(f"ALTER ROLE {OWNER} CREATEDB")
    os.environ |= {"DATABASE_URL": postgres_url(data_dir, OWNER), "REDIS_URL": valkey_url(data_dir), "DATA_DIR": str(data_dir)}
    return embedded


def take_share(worker: str) -> None:
    """Give a parallel worker a Valkey database and a data folder of its own; pytest-django does so for PostgreSQL."""
    number = int(worker.removeprefix("gw")) + 1
    if "?db=" not in os.environ["REDIS_URL"]:
        os.environ["REDIS_URL"] += f"?db={number % 16}"
    folder = Path(os.environ["DATA_DIR"]) / worker
    folder.mkdir(exist_ok=True)
    os.environ["DATA_DIR"] = str(folder)


pytest_plugins = ["tests.support.engine"]

# The same examples every time, so that a change is judged by itself; nightly draws new ones. How fast they come is the machine's affair.
hypothesis.settings.register_profile("nightly", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("steady", hypothesis.settings.get_profile("nightly"), derandomize=True)
hypothesis.settings.load_profile("steady")

embedded_servers = start_servers()
django.setup()
emptying.use_instead_of_flush()
limits.TIMEOUT_SECONDS = 60.0  # a busy machine is no reason to refuse
settings.PASSWORD_HASHERS = ["tests.support.passwords.QuickHasher"]  # the real one takes a quarter of a second each time


def pytest_configure(config: pytest.Config) -> None:
    if getattr(config.option, "numprocesses", None):
        # Workers inherit it, and pytest-django would read the settings before each has taken its own share of the servers.
        del os.environ["DJANGO_SETTINGS_MODULE"]
    if config.getoption("--nightly"):
        hypothesis.settings.load_profile("nightly")


def pytest_unconfigure() -> None:
    if embedded_servers:
        home = postgres_home(embedded_servers.data_dir)
        embedded_servers.stop()
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(embedded_servers.data_dir, ignore_errors=True)


@pytest.fixture(autouse=True)
def _empty_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let no rate limit or cached key of one test reach the next."""
    yield
    if request.node.get_closest_marker("django_db"):
        from django.core.cache import cache

        cache.clear()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-browser", action="store_true", help="leave out the tests that need a Chromium")
    parser.addoption("--nightly", action="store_true", help="run the tests, too, that take longer than bin/test allows")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect, and so count in the summary, what was not asked for; browsers come last.

    Playwright's synchronous API keeps a loop running in this thread to the end, beside which no asyncio test could run.
    """
    unwanted = {"browser"} if config.getoption("--no-browser") else set()
    unwanted |= set() if config.getoption("--nightly") else {"nightly"}
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in unwanted)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture
def tenth(request: pytest.FixtureRequest) -> Callable[[Iterable[Case]], list[Case]]:
    """Take every tenth of many cases, and by night all of them."""
    step = 1 if request.config.getoption("--nightly") else 10
    return lambda cases: list(cases)[::step]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium, as bin/test finds it."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    assert path, "no Chromium found: run bin/test, which fetches one, or give --no-browser"
    return path
