"""A real projector process beside a running engine.

def test_it_…(engine_process, projector_process): …
"""

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings

from tests.support.engine import ROOT, START_SECONDS, EngineProcesses, database_url


class ProjectorProcess:
    """One `manage.py projector`; the tables follow the journal from here until it ends."""

    def __init__(self, engine: EngineProcesses) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "projector"],
            env=os.environ
            | {
                "DATABASE_URL": database_url(),
                "DATA_DIR": str(engine.data_dir),
                "ENGINE_URL": engine.url,
                "ENVIRONMENT": "test",
                "SECRET_KEY": django_settings.SECRET_KEY,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        self._lines = self._process.stdout
        said = any('"projecting"' in line for line in self._lines)
        assert said, "the projector ended before it began"
        self._drain = threading.Thread(target=deque, args=(self._lines, 0), daemon=True)
        self._drain.start()

    def end(self) -> None:
        self._process.kill()
        self._process.wait(timeout=START_SECONDS)
        self._drain.join(timeout=START_SECONDS)
        self._lines.close()


@pytest.fixture
def projector_process(engine_process: EngineProcesses) -> Iterator[ProjectorProcess]:
    process = ProjectorProcess(engine_process)
    yield process
    process.end()
