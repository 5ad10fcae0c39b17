"""Values as PostgreSQL reads them: lines of COPY, and arrays for set-based statements."""

from collections.abc import Iterable
from datetime import UTC, datetime

NULL = "\\N"
_SPECIAL = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": None})


def time_text(stamp_ms: int) -> str:
    """Return a stamp as a timestamptz, exact to the millisecond."""
    seconds, milliseconds = divmod(stamp_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{milliseconds:03}+00"


def copy_text(value: str) -> str:
    """Escape a text for COPY. A NUL, which PostgreSQL cannot hold, is left out."""
    return value if value.isalnum() else value.translate(_SPECIAL)


def array(values: Iterable[object]) -> str:
    """Return an array of numbers, times or words without special characters; None is NULL."""
    return "{" + ",".join(["null" if value is None else str(value) for value in values]) + "}"
