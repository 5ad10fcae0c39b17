"""Stamps of the engine as times of the database, and back; both are exact to the millisecond."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def at(stamp_ms: int) -> datetime:
    return EPOCH + stamp_ms * MILLISECOND


def ms(time: datetime) -> int:
    return (time - EPOCH) // MILLISECOND
