"""What a simulation does on purpose: moves and silences at stated steps, read from a JSON file."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from oracle.feeds.feed import FeedError

MAX_MOVE_PPM = 900_000
Steps = Annotated[int, Meta(ge=0, le=31_536_000)]


class ScriptError(FeedError):
    code = "SCRIPT_UNREADABLE"
    status = 400
    message = "The simulation's script cannot be used."


class Move(msgspec.Struct, frozen=True, kw_only=True, tag="move", forbid_unknown_fields=True):
    """From step `at` on, an asset's price (of all, when empty) moves by `move_ppm` in equal parts over `over` steps."""

    at: Steps
    move_ppm: Annotated[int, Meta(ge=-MAX_MOVE_PPM, le=MAX_MOVE_PPM)]
    over: Annotated[int, Meta(ge=1, le=86_400)] = 1
    asset: str = ""


class Silence(msgspec.Struct, frozen=True, kw_only=True, tag="silence", forbid_unknown_fields=True):
    """From step `at` on, a source (all, when empty) says nothing for `steps` steps."""

    at: Steps
    steps: Steps
    source: str = ""


class Skew(msgspec.Struct, frozen=True, kw_only=True, tag="skew", forbid_unknown_fields=True):
    """From step `at` on, a source is `skew_ppm` off what the others say for `steps` steps."""

    at: Steps
    steps: Steps
    source: str
    skew_ppm: Annotated[int, Meta(ge=-MAX_MOVE_PPM, le=MAX_MOVE_PPM)]


ScriptEvent = Move | Silence | Skew


class Script:
    """Asks for what holds at a step. Events that overlap add up."""

    def __init__(self, events: tuple[ScriptEvent, ...] = ()) -> None:
        self._moves = [event for event in events if isinstance(event, Move)]
        self._silences = [event for event in events if isinstance(event, Silence)]
        self._skews = [event for event in events if isinstance(event, Skew)]

    def move_ppm(self, *, step: int, asset: str) -> int:
        """Return how far the price moves at this step."""
        return sum(
            event.move_ppm * (step - event.at + 1) // event.over - event.move_ppm * (step - event.at) // event.over
            for event in self._moves
            if event.asset in {"", asset} and event.at <= step < event.at + event.over
        )

    def is_silent(self, *, step: int, source: str) -> bool:
        return any(event.source in {"", source} and event.at <= step < event.at + event.steps for event in self._silences)

    def skew_ppm(self, *, step: int, source: str) -> int:
        return sum(event.skew_ppm for event in self._skews if event.source == source and event.at <= step < event.at + event.steps)


def read(path: Path) -> Script:
    """Return a file's script: a list of objects with `type` and the fields of the events above."""
    try:
        return Script(msgspec.json.decode(path.read_bytes(), type=tuple[ScriptEvent, ...]))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ScriptError(file=path.name, reason=str(error)) from error
