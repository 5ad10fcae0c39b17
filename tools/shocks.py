"""Make the files of risk/shocks from a folder of daily bars: `python -m tools.shocks FOLDER`.

FOLDER holds BTC-USD_1d_*.csv.gz, ETH-USD_1d_*, SOL-USD_1d_*: time, open, high, low, close, volume.
"""

import csv
import gzip
import itertools
import json
import sys
from pathlib import Path

ASSETS = ("BTC", "ETH", "SOL")
SOURCE = "spot, daily bars in USD, UTC"
FIRST_RETURN = "2021-01-01"
PPM = 1_000_000
# Each day with the end that hurt: the low of a fall, the high of a rise.
DAYS = (
    ("2020-03-12", "The pandemic's first fall", "low"),
    ("2021-02-08", "A treasury buys bitcoin", "high"),
    ("2021-05-19", "Deleveraging in May", "low"),
    ("2022-06-13", "Lenders stop withdrawals", "low"),
    ("2022-11-09", "An exchange fails", "low"),
    ("2024-08-05", "Carry trades unwind", "low"),
    ("2025-10-10", "The widest liquidation day", "low"),
)
TARGET = Path(__file__).resolve().parent.parent / "risk" / "shocks"

Bars = dict[str, dict[str, str]]


def read(folder: Path, asset: str) -> Bars:
    (path,) = folder.glob(f"{asset}-USD_1d_*.csv.gz")
    with gzip.open(path, "rt") as file:
        return {row["time"][:10]: row for row in csv.DictReader(file)}


def change_ppm(before: str, after: str) -> int:
    return round((float(after) / float(before) - 1) * PPM)


def day(date: str, name: str, end: str, bars: dict[str, Bars]) -> dict[str, object]:
    """Return each asset's move from the open to the day's end that hurt; an asset without a bar has none."""
    found = {asset: bars[asset].get(date) for asset in ASSETS}
    return {"date": date, "name": name, "end": end, "moves_ppm": {a: change_ppm(row["open"], row[end]) for a, row in found.items() if row}}


def returns(bars: dict[str, Bars]) -> dict[str, object]:
    """Return the changes from close to close of the days that all assets have."""
    dates = sorted(set.intersection(*(set(rows) for rows in bars.values())))
    pairs = [(first, last) for first, last in itertools.pairwise(dates) if last >= FIRST_RETURN]
    changes = [[change_ppm(bars[a][first]["close"], bars[a][last]["close"]) for a in ASSETS] for first, last in pairs]
    return {"source": SOURCE, "assets": ASSETS, "first": pairs[0][1], "last": pairs[-1][1], "changes_ppm": changes}


def main(folder: Path) -> None:
    bars = {asset: read(folder, asset) for asset in ASSETS}
    days = {"source": SOURCE, "days": [day(*facts, bars) for facts in DAYS]}
    (TARGET / "days.json").write_text(json.dumps(days, indent=1) + "\n")
    (TARGET / "returns.json").write_text(json.dumps(returns(bars), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
