"""What runs in processes that are forked from one that has imported everything: they start in a tenth of the time.

The programs are the same as `manage.py engine`, `projector` and `web`; only how they come by their settings differs.
"""

import os
import socket
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import django

django.setup()

import uvloop  # noqa: E402 - after the set-up
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from trading.projector.service import serve  # noqa: E402
from trading.runner.process import run  # noqa: E402


def engine() -> None:
    uvloop.run(run())


def projector() -> None:
    sys.exit(uvloop.run(serve()))


def web(listener: socket.socket) -> None:
    call_command("web", fd=listener.fileno())


def main(
    program: Callable[..., None], given: tuple[Any, ...], log: Connection, database: dict[str, Any], overrides: dict[str, Any]
) -> None:
    """Run a program that logs into `log`, on this database and with these settings."""
    for descriptor in (1, 2):
        os.dup2(log.fileno(), descriptor)
    log.close()
    settings.DATABASES["default"].update(database)
    for name, value in overrides.items():
        setattr(settings, name, value)
    program(*given)
