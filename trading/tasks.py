"""The schedule's part in trading. Each task is safe to run twice: the engine and the tables know what was done."""

import structlog
from celery import shared_task

from markets.commands import AnyCommand, ClockTick, SweepLiquidations
from markets.errors import GatewayError
from markets.gateway import gateway
from trading import archive as archives
from trading import partitions, snapshots

log = structlog.get_logger("trading")


@shared_task
def let_time_pass() -> bool:
    """Have due funding, expiries and switches happen even when nobody trades; the engine pays each hour once."""
    return _trigger(ClockTick())


@shared_task
def sweep_liquidations() -> bool:
    """Have every account's margin checked again, beside the engine's own checks as marks move."""
    return _trigger(SweepLiquidations())


@shared_task
def request_snapshot() -> None:
    snapshots.request()


@shared_task
def keep_partitions() -> list[str]:
    """Make the partitions of the coming days; returns the names of the new ones."""
    return partitions.upkeep()


@shared_task
def archive_journal() -> list[str]:
    """Move old partitions of the journal into verified files; returns the names of the new ones."""
    return [archive.path.name for archive in archives.archive_old()]


def _trigger(command: AnyCommand) -> bool:
    """Submit a trigger; without an engine there is nothing to do, and the next beat comes soon."""
    try:
        reply = gateway().submit(command)
    except GatewayError as error:
        log.warning("trigger_not_sent", command=type(command).__name__, code=error.code)
        return False
    return reply.reject is None
