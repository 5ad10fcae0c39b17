"""How an engine process ends when it must not go on: at once, so that nothing uncommitted leaves it."""

import os
import sys
from enum import IntEnum
from typing import Any, NoReturn

import structlog

log = structlog.get_logger("engine")


class Exit(IntEnum):
    """Exit codes, for the supervisor and the operator (sysexits.h where one fits)."""

    NO_DATABASE = 69
    CRASHED = 70
    COMMIT_FAILED = 74
    FENCED = 75
    REFUSED = 78  # the journal cannot be replayed by this engine


def leave(code: Exit, event: str, **facts: Any) -> NoReturn:
    """Log why and end the process: callers whose commands were in flight get UNKNOWN and ask again."""
    log.critical(event, exit_code=int(code), **facts)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
