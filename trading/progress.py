"""Progress of long work: a bar on a terminal, one plain line at the end of each task elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress


class Progress:
    """Tells how far a task is. `console` defaults to standard output."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()

    @contextmanager
    def task(self, name: str, *, total: int) -> Iterator[Callable[[int], None]]:
        """Count a task; what is yielded takes how much more is done."""
        done = 0
        if self._console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            with RichProgress(*columns, console=self._console) as bar:
                task = bar.add_task(name, total=total)
                yield lambda more: bar.advance(task, more)
            return

        def count(more: int) -> None:
            nonlocal done
            done += more

        yield count
        self._console.print(f"{done:,} {name}", highlight=False)
