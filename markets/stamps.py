"""Stamps of the engine, and of the chain in seconds, as times of the database, and back; all are exact."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def at(stamp_ms: int) -> datetime:
    return EPOCH + stamp_ms * MILLISECOND


def at_seconds(stamp_s: int) -> datetime:
    return at(stamp_s * 1_000)


def ms(time: datetime) -> int:
    return (time - EPOCH) // MILLISECOND
