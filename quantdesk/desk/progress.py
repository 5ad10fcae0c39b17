"""What the desk tells while it starts: a live line on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn


class Progress:
    """Steps and their times. It draws only when it is told to: a thread of its own would not survive the forks."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True, emoji=False)
        self._bar: Bar | None = None

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show `title` while the block runs, and how long it took when it has succeeded."""
        began = time.monotonic()
        if self.console.is_terminal:
            self._bar = Bar(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                TimeElapsedColumn(),
                console=self.console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._bar.add_task(title, total=None)
            self._bar.start()
        try:
            yield
        finally:
            if self._bar:
                self._bar.stop()
                self._bar = None
        self.say(f"{title}  {time.monotonic() - began:.1f} s")

    def draw(self) -> None:
        if self._bar:
            self._bar.refresh()

    def say(self, text: str, style: str = "") -> None:
        self.console.print(text, style=style, markup=False)
