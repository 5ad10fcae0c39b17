"""Stored price bars. They lie beside the repository, or where REPLAY_DATA says; nothing here needs them to be there."""

import csv
import gzip
import os
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from markets.units import E8

BESIDE = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "data" / "prices"


class Bar(NamedTuple):
    """Prices in units of 1e-8 USD."""

    time: str
    open_e8: int
    high_e8: int
    low_e8: int
    close_e8: int


def folder() -> Path:
    return Path(os.environ["REPLAY_DATA"]) if "REPLAY_DATA" in os.environ else BESIDE


def are_here() -> bool:
    return folder().is_dir()


def load(name: str, *, first: str = "", last: str = "~") -> list[Bar]:
    """Return a file's bars whose times lie between two prefixes."""
    found = []
    with gzip.open(folder() / f"{name}.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            if first <= row["time"] <= last:
                prices = [int(Decimal(row[column]) * E8) for column in ("open", "high", "low", "close")]
                found.append(Bar(row["time"], *prices))
    return found
