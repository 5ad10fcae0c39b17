"""The engine's program for processes that are forked from one that has imported everything: they start in a tenth of the time.

What it runs is the same as `manage.py engine`; only how it comes by its settings differs.
"""

import os
from multiprocessing.connection import Connection
from typing import Any

import django

django.setup()

import uvloop  # noqa: E402 - after the set-up
from django.conf import settings  # noqa: E402

from trading.runner.process import run  # noqa: E402


def main(log: Connection, database: dict[str, Any], overrides: dict[str, Any]) -> None:
    """Run an engine that logs into `log`, on this database and with these settings."""
    for descriptor in (1, 2):
        os.dup2(log.fileno(), descriptor)
    log.close()
    settings.DATABASES["default"].update(database)
    for name, value in overrides.items():
        setattr(settings, name, value)
    uvloop.run(run())
