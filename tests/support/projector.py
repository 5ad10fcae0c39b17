"""A real projector process beside a running engine.

def test_it_…(engine_process, projector_process): …
"""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings

from tests.support.engine import ROOT, START_SECONDS, EngineProcesses, database_url


class ProjectorProcess:
    """One `manage.py projector`; the tables follow the journal while it runs."""

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
            stdout=subprocess.DEVNULL,
        )

    def end(self) -> None:
        self._process.kill()
        self._process.wait(timeout=START_SECONDS)


@pytest.fixture
def projector_process(engine_process: EngineProcesses) -> Iterator[ProjectorProcess]:
    process = ProjectorProcess(engine_process)
    yield process
    process.end()
