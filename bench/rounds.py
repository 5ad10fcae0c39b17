"""Interleaved rounds: the machine drifts, so only figures taken side by side in one run are compared, by their medians."""

from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import NamedTuple

from rich.console import Console
from rich.progress import track
from rich.table import Table

console = Console(width=None if Console().is_terminal else 160)


class Ratio(NamedTuple):
    """Ours over a peer's or a limit's, round by round; `floor` is what must hold, `aim` what we want."""

    name: str
    ours: list[float]
    peer: list[float]
    unit: str = "/s"
    floor: float | None = None
    aim: float | None = None

    @property
    def rounds(self) -> list[float]:
        return [ours / peer for ours, peer in zip(self.ours, self.peer, strict=True)]

    @property
    def met(self) -> bool:
        return self.floor is None or median(self.rounds) >= self.floor


class Figure(NamedTuple):
    """A plain measurement with what we want of it; lower is better."""

    name: str
    value: float
    unit: str
    aim: float | None = None


def interleave(subjects: Mapping[str, Callable[[], float]], *, rounds: int, title: str) -> dict[str, list[float]]:
    """Measure each subject once a round, in turn."""
    measured: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in track(range(rounds), description=title, console=console, transient=True, disable=not console.is_terminal):
        for name, subject in subjects.items():
            measured[name].append(subject())
    return measured


def report(ratios: Iterable[Ratio], figures: Iterable[Figure] = ()) -> bool:
    """Print both tables; tell whether every floor was met."""
    ratios, figures = list(ratios), list(figures)
    table = Table("ratio", "median", "min", "max", "ours", "peer", "floor", "aim", "")
    for ratio in ratios:
        table.add_row(
            ratio.name,
            f"{median(ratio.rounds):.2f}",
            f"{min(ratio.rounds):.2f}",
            f"{max(ratio.rounds):.2f}",
            f"{median(ratio.ours):,.0f}{ratio.unit}",
            f"{median(ratio.peer):,.0f}{ratio.unit}",
            f"{ratio.floor:g}" if ratio.floor is not None else "",
            f"{ratio.aim:g}" if ratio.aim is not None else "",
            "" if ratio.floor is None else "met" if ratio.met else "BELOW FLOOR",
        )
    if ratios:
        console.print(table)
    plain = Table("figure", "value", "aim", "")
    for figure in figures:
        verdict = "" if figure.aim is None else "met" if figure.value <= figure.aim else "above aim"
        plain.add_row(figure.name, f"{figure.value:,.2f} {figure.unit}", f"{figure.aim:g}" if figure.aim is not None else "", verdict)
    if figures:
        console.print(plain)
    return all(ratio.met for ratio in ratios)
