"""A file of price bars, read exactly."""

import csv
import gzip
import zlib
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from markets.stamps import ms
from oracle.feeds import scale
from oracle.feeds.feed import FeedError

COLUMNS = ("time", "open", "high", "low", "close")
MAX_BARS = 5_000_000


class BarsError(FeedError):
    code = "BARS_UNREADABLE"
    status = 400
    message = "The file of bars cannot be used."


class Bar(NamedTuple):
    """Prices in units of 1e-8; the time is the bar's beginning."""

    opened_ms: int
    open_e8: int
    high_e8: int
    low_e8: int
    close_e8: int


def asset_of(path: Path) -> str:
    """Return the asset that a file is named for: BTC-USD_1h_… is about BTC."""
    asset = path.name.partition("-")[0].upper()
    if not asset.isalnum() or "-" not in path.name:
        raise BarsError("The file's name must begin with its asset, as in BTC-USD_1h.csv.gz.", file=path.name)
    return asset


def read(path: Path) -> list[Bar]:
    """Return a CSV file's bars (plain, or .gz), by time; BarsError names the line that is wrong."""
    try:
        with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
            rows = csv.DictReader(file)
            if not set(COLUMNS) <= set(rows.fieldnames or ()):
                raise BarsError("The columns time, open, high, low and close are needed.", file=path.name)
            bars = [_bar(row, line) for line, row in zip(range(2, MAX_BARS), rows, strict=False)]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise BarsError(file=path.name, reason=str(error)) from error
    if len(bars) < 2 or any(later.opened_ms <= earlier.opened_ms for earlier, later in pairwise(bars)):
        raise BarsError("Two bars at least are needed, in ascending order of time.", file=path.name)
    return bars


def _bar(row: dict[str, str], line: int) -> Bar:
    try:
        opened = datetime.fromisoformat(row["time"])
        opened = opened.replace(tzinfo=UTC) if opened.tzinfo is None else opened
        open_e8, high_e8, low_e8, close_e8 = (scale.decimal_e8(Decimal(row[name])) for name in COLUMNS[1:])
    except (InvalidOperation, ValueError, TypeError, FeedError) as error:
        raise BarsError(line=line, reason=str(error)) from error
    bar = Bar(ms(opened), open_e8, high_e8, low_e8, close_e8)
    if not 0 < bar.low_e8 <= min(open_e8, close_e8) <= max(open_e8, close_e8) <= bar.high_e8:
        raise BarsError("Low, open, close and high contradict each other.", line=line)
    return bar
