"""Draw series over time as panels of one SVG picture, with nothing but text."""

import math
from typing import NamedTuple
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP = 960, 96, 24, 64
PANEL, GAP, FOOT = 128, 28, 40
INK, FAINT, GRID, GROUND = "#1b1f24", "#5b6470", "#e3e6ea", "#ffffff"
STEPS = (1, 2, 5, 10)


class Panel(NamedTuple):
    """One series; the unit is written after each figure of its axis."""

    title: str
    values: list[float]
    unit: str
    colour: str
    from_zero: bool = False


def ticks(low: float, high: float) -> list[float]:
    """Return the round figures between two values: three to six of them."""
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in STEPS if power * each >= rough)
    return [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def figure(value: float) -> str:
    for size, letter in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g} {letter}"
    return f"{value:g}"


def text(x: float, y: float, words: str, *, size: int = 12, anchor: str = "start", colour: str = FAINT, weight: int = 400) -> str:
    look = f'font-size="{size}" text-anchor="{anchor}" fill="{colour}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(words)}</text>'


def panel(each: Panel, xs: list[float], top: float) -> list[str]:
    low, high = (0.0 if each.from_zero else min(each.values)), max(each.values)
    margin = (high - low) * 0.06 or 1.0
    low, high = (low if each.from_zero else low - margin), high + margin

    def y(value: float) -> float:
        return top + PANEL - (value - low) / (high - low) * PANEL

    points = [f"{x:.1f},{y(value):.1f}" for x, value in zip(xs, each.values, strict=True)]
    found = [text(LEFT, top - 8, each.title, size=13, colour=INK, weight=600)]
    for value in ticks(low, high):
        found.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="{GRID}"/>')
        found.append(text(LEFT - 10, y(value) + 4, f"{figure(value)} {each.unit}", anchor="end"))
    if each.from_zero:
        area = f"{xs[0]:.1f},{top + PANEL} {' '.join(points)} {xs[-1]:.1f},{top + PANEL}"
        found.append(f'<polygon points="{area}" fill="{each.colour}" fill-opacity="0.12"/>')
    found.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{each.colour}" stroke-width="1.6" stroke-linejoin="round"/>')
    return found


def draw(*, title: str, subtitle: str, times: list[float], labels: list[tuple[float, str]], panels: list[Panel]) -> str:
    """Return the picture; `labels` name places on the time axis."""
    height = TOP + 24 + len(panels) * (PANEL + GAP + 16) + FOOT - GAP
    span = times[-1] - times[0]

    def x(time: float) -> float:
        return LEFT + (time - times[0]) / span * (WIDTH - LEFT - RIGHT)

    bottom = height - FOOT
    found = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}" font-family="system-ui, sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="{GROUND}"/>',
        text(LEFT, 28, title, size=18, colour=INK, weight=600),
        text(LEFT, 48, subtitle),
    ]
    for time, label in labels:
        found.append(f'<line x1="{x(time):.1f}" x2="{x(time):.1f}" y1="{TOP + 24}" y2="{bottom}" stroke="{GRID}"/>')
        found.append(text(x(time), bottom + 20, label, anchor="middle"))
    for number, each in enumerate(panels):
        found += panel(each, [x(time) for time in times], TOP + 24 + number * (PANEL + GAP + 16))
    return "\n".join([*found, "</svg>", ""])
