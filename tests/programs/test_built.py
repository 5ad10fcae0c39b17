"""The built programs are those of the sources, and a changed source is found with Python alone."""

import json
import shutil
from pathlib import Path

import pytest
from anchorpy_core.idl import Idl

from tools import programs


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("programs", "chain/programs"):
        shutil.copytree(programs.ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("target"))
    monkeypatch.setattr(programs, "SOURCES", tmp_path / "programs")
    monkeypatch.setattr(programs, "BUILT", tmp_path / "chain" / "programs")
    monkeypatch.setattr(programs, "HASHES", tmp_path / "chain" / "programs" / "hashes.json")
    return tmp_path


def test_what_is_built_is_what_is_written() -> None:
    assert programs.problems() == []


@pytest.mark.parametrize("path", ["programs/perp_dex/src/lib.rs", "crates/margin/src/tiers.rs", "Cargo.lock", "Cargo.toml"])
def test_it_finds_a_changed_source(copied: Path, path: str) -> None:
    source = copied / "programs" / path
    source.write_text(source.read_text() + "\n")
    assert programs.problems() == ["programs/: sources changed since the last build; run `make programs`"]


def test_it_finds_a_new_and_a_removed_source(copied: Path) -> None:
    added = copied / "programs" / "crates" / "margin" / "src" / "more.rs"
    added.write_text("")
    assert programs.problems()
    added.unlink()
    assert programs.problems() == []
    (copied / "programs" / "crates" / "margin" / "src" / "funding.rs").unlink()
    assert programs.problems()


def test_it_finds_another_program(copied: Path) -> None:
    built = copied / "chain" / "programs"
    (built / "oracle.so").write_bytes(b"")
    (built / "strange.so").write_bytes(b"")
    assert programs.problems() == ["oracle.so: not the file that was built", "strange.so: not named in hashes.json"]


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_anchorpy_reads_the_idl(name: str) -> None:
    described = json.loads((programs.BUILT / f"{name}.json").read_text())
    idl = Idl.from_json((programs.BUILT / f"{name}.legacy.json").read_text())
    assert len(idl.instructions) == len(described["instructions"])
    assert str(described["address"]) in (programs.SOURCES / "programs" / name / "src" / "lib.rs").read_text()
