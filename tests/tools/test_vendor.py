"""static/vendor/ is what its lock says, and the tool notices when it is not."""

import io
import json
import shutil
import tarfile
from pathlib import Path

import pytest

from tools import vendor


def tarball(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def package(path: Path, *names: str) -> vendor.LockedPackage:
    return {
        "name": "chart",
        "version": "1.2.3",
        "licence": "MIT",
        "integrity": vendor.digest(path.read_bytes(), algorithm="sha512"),
        "files": [{"source": name, "target": f"chart/{Path(name).name}", "integrity": ""} for name in names],
    }


@pytest.fixture
def vendored(tmp_path: Path) -> Path:
    """A folder with one package, as `vendor.py` leaves it."""
    directory = tmp_path / "vendor"
    directory.mkdir()
    source = tarball(tmp_path / "chart.tgz", {"dist/chart.js": b"draw();\n//# sourceMappingURL=chart.js.map\n", "LICENSE": b"MIT\n"})
    vendor.write_lock(directory, [vendor.unpack(package(source, "dist/chart.js", "LICENSE"), source, directory)])
    return directory


def test_it_ships_exactly_what_the_lock_says() -> None:
    assert list(vendor.faults(vendor.VENDOR_DIR)) == []
    assert vendor.main(["--check"]) == 0


def test_it_states_a_licence_for_every_package() -> None:
    assert all(package["licence"] for package in vendor.read_lock(vendor.VENDOR_DIR))


def test_it_ships_no_reference_to_a_source_map() -> None:
    scripts = [path for path in vendor.VENDOR_DIR.rglob("*.js") if b"sourceMappingURL=" in path.read_bytes()]
    assert scripts == []


def test_it_writes_the_listed_files_without_their_source_map(vendored: Path) -> None:
    assert (vendored / "chart/chart.js").read_bytes() == b"draw();\n"
    assert list(vendor.faults(vendored)) == []


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("chart/chart.js", b"steal();\n", "chart/chart.js: not what the lock says"),
        ("chart/chart.js", None, "chart/chart.js: missing"),
        ("chart/more.js", b"more();\n", "chart/more.js: not in the lock"),
    ],
)
def test_it_notices_a_change(vendored: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes | None, fault: str) -> None:
    path = vendored / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert vendor.main(["--check", "--directory", str(vendored)]) == 1
    assert capsys.readouterr().err == f"{fault}\n"


def test_it_notices_a_package_without_its_licence_text(vendored: Path) -> None:
    lock = vendor.read_lock(vendored)
    lock[0]["files"] = lock[0]["files"][:1]
    vendor.write_lock(vendored, lock)
    (vendored / "chart/LICENSE").unlink()
    assert list(vendor.faults(vendored)) == ["chart: no licence text"]


def test_it_refuses_a_tarball_with_another_hash(tmp_path: Path) -> None:
    locked = package(tarball(tmp_path / "chart.tgz", {"dist/chart.js": b"draw();\n"}), "dist/chart.js")
    other = tarball(tmp_path / "other.tgz", {"dist/chart.js": b"steal();\n"})
    with pytest.raises(vendor.VendorError, match=r"chart 1\.2\.3"):
        vendor.unpack(locked, other, tmp_path / "vendor")
    assert not (tmp_path / "vendor").exists()


@pytest.mark.skipif(shutil.which("npm") is None, reason="refreshing is the maintainer's, who has npm")
def test_it_fetches_a_package_through_npm(tmp_path: Path, vendored: Path) -> None:
    """npm packs a folder as it packs what a registry holds: no network."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "package.json").write_text(json.dumps({"name": "chart", "version": "1.2.3"}))
    (source / "chart.js").write_text("draw();\n")
    content = vendor.pack(specifier=str(source), folder=tmp_path)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        assert "package/chart.js" in archive.getnames()
