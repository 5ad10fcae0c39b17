"""What nobody expected while a shard was at work: it stops there, staff see why, and the worker goes on with everything else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from django.db import InterfaceError, OperationalError
from redis.exceptions import ConnectionError as CacheUnreachable
from redis.exceptions import TimeoutError as CacheSilent

from chain.outbox.queue import halt
from markets.errors import DomainError

PASSING: Final = (DomainError, OperationalError, InterfaceError, CacheUnreachable, CacheSilent)  # what trying again may mend
MAX_REASON: Final = 500
log = structlog.get_logger("outbox")


def is_fault(error: Exception) -> bool:
    """Whether it would come again: a row that is missing or breaks a rule, an assertion that does not hold."""
    return not isinstance(error, PASSING)


def fault_text(error: Exception) -> str:
    return f"fault: {type(error).__name__}: {error}"[:MAX_REASON]


@contextmanager
def halting(shard: str) -> Iterator[None]:
    """Halt the shard on a fault; everything else is the caller's."""
    try:
        yield
    except Exception as error:
        if not is_fault(error):
            raise
        log.exception("fault", shard=shard)
        halt(shard=shard, reason=fault_text(error))
