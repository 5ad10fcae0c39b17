"""A real projector process beside a running engine.

def test_it_…(engine_process, projector_process): …
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Iterator

import pytest

from tests.support import forked_main
from tests.support.engine import START_SECONDS, EngineProcesses
from tests.support.forked import ForkedProgram, surroundings


class ProjectorProcess:
    """One `manage.py projector`; the tables follow the journal from here until it ends."""

    def __init__(self, engine: EngineProcesses) -> None:
        self._program = ForkedProgram(forked_main.projector, surroundings(url=engine.url, data_dir=engine.data_dir))
        self._log = open(self._program.log, encoding="utf-8")  # noqa: PTH123, SIM115 - a descriptor, closed by end()
        said = any('"projecting"' in line for line in self._log)
        assert said, "the projector ended before it began"
        self._drain = threading.Thread(target=deque, args=(self._log, 0), daemon=True)
        self._drain.start()

    def end(self) -> None:
        os.kill(self._program.pid, signal.SIGKILL)
        self._program.wait(START_SECONDS)
        self._drain.join(timeout=START_SECONDS)
        self._log.close()


@pytest.fixture
def projector_process(engine_process: EngineProcesses) -> Iterator[ProjectorProcess]:
    process = ProjectorProcess(engine_process)
    yield process
    process.end()
