"""Settings as whole processes see them: each case starts manage.py."""

import os
import subprocess
import sys
from pathlib import Path

from quantdesk.env import BASE_DIR
from tests.quantdesk.test_env import PRODUCTION


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "manage.py", *arguments]
    inherited = {"PATH": os.environ["PATH"]}
    return subprocess.run(command, cwd=BASE_DIR, env=inherited | environment, capture_output=True, text=True, check=False)


def test_it_passes_djangos_deployment_checks_in_production(tmp_path: Path) -> None:
    result = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, DATA_DIR=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert "no issues (0 silenced)" in result.stdout


def test_it_refuses_a_wrong_setting_in_one_line(tmp_path: Path) -> None:
    result = manage("check", DEBUG="perhaps", DATA_DIR=str(tmp_path))
    assert (result.returncode, result.stderr) == (1, "quantdesk: DEBUG must be true or false\n")


def test_it_refuses_a_data_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = manage("check", DATA_DIR=str(tmp_path / "file" / "data"))
    assert result.returncode == 1
    assert result.stderr.startswith("quantdesk: DATA_DIR must be a folder that can be written to; ")
    assert result.stderr.count("\n") == 1


def test_it_makes_a_secret_key_of_its_own_for_each_demo(tmp_path: Path) -> None:
    show = ("shell", "--no-imports", "-c", "from django.conf import settings; print(settings.SECRET_KEY)")
    alice, again, bob = (manage(*show, DATA_DIR=str(tmp_path / name)).stdout for name in ("alice", "alice", "bob"))
    assert alice == again != bob
    assert alice.startswith("demo-only-")
    assert (tmp_path / "alice" / "secrets" / "secret_key").stat().st_mode & 0o777 == 0o600
