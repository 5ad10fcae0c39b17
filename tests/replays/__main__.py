"""Run both replays in full and draw them into docs/: `make replays`."""

import sys
from pathlib import Path

from markets.units import E8, QUOTE_ATOMS
from tests.replays import bars
from tests.replays.replay import Replay, Sample, btc, january, tenth_of_october, three
from tools.plot import Panel, draw

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
JANUARY_DAYS = [(day * 1_440.0, f"{1 + day} Jan") for day in range(2, 31, 4)]
OCTOBER_HOURS = [(hour * 60.0, f"{10 + hour // 24} Oct {hour % 24:02}:00") for hour in range(6, 48, 6)]


def picture(samples: list[Sample], *, title: str, subtitle: str, labels: list[tuple[float, str]]) -> str:
    def usdc(name: str) -> list[float]:
        return [getattr(sample, name) / QUOTE_ATOMS for sample in samples]

    gains = [equity - paid for equity, paid in zip(usdc("equity_atoms"), usdc("paid_in_atoms"), strict=True)]
    panels = [
        Panel("BTC index", [sample.price_e8 / E8 for sample in samples], "USD", "#3b5bdb"),
        Panel("Equity of the 1,000 traders", usdc("equity_atoms"), "USDC", "#2b8a3e"),
        Panel("Their equity less what they have paid in", gains, "USDC", "#2b8a3e"),
        Panel("Insurance fund", usdc("insurance_atoms"), "USDC", "#c2255c"),
        Panel("Equity of the backstop", usdc("backstop_atoms"), "USDC", "#0b7285"),
        Panel("Open interest", usdc("open_interest_atoms"), "USDC", "#e8590c", from_zero=True),
        Panel("Liquidations so far", [float(sample.liquidations) for sample in samples], "", "#5f3dc4", from_zero=True),
    ]
    return draw(title=title, subtitle=subtitle, times=[float(sample.minute) for sample in samples], labels=labels, panels=panels)


def main() -> None:
    if not bars.are_here():
        sys.exit("The price files are not here: REPLAY_DATA names their folder.")
    first = Replay(markets=btc(), accounts=1_000, seed=2022)
    first.run(january())
    title, source = (
        "January 2022 through the engine",
        "BTC-PERP one-minute bars as index and book; 1,000 leveraged traders of seeded habits",
    )
    (DOCS / "replay-2022-01.svg").write_text(picture(first.samples, title=title, subtitle=source, labels=JANUARY_DAYS))
    second = Replay(markets=three(), accounts=1_000, seed=1010)
    second.run(tenth_of_october(seed=1010))
    title = "10 and 11 October 2025 through the engine"
    source = "BTC, ETH and SOL: seeded paths through the daily bars' open, high, low and close; spot is the index, the perpetual the book"
    (DOCS / "replay-2025-10-10.svg").write_text(picture(second.samples, title=title, subtitle=source, labels=OCTOBER_HOURS))


if __name__ == "__main__":
    main()
