"""Keep static/vendor/ what vendor.lock.json says: exact npm versions, checked against their published hashes.

`vendor.py` fetches the packages of the lock and writes their files; `vendor.py --check` compares the files with the lock,
offline. Packages come through `npm pack`, so from whichever registry npm is configured to use.
"""

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict, cast

VENDOR_DIR = Path(__file__).resolve().parent.parent / "static" / "vendor"
LOCK_NAME = "vendor.lock.json"
TEXT_SUFFIXES = frozenset({".js", ".css"})
# Django's manifest storage refuses a reference to a map that is not there, and we ship none.
SOURCE_MAP = re.compile(rb"\n?//[#@] sourceMappingURL=\S+\s*$|/\*[#@] sourceMappingURL=[^*]*\*/\s*$")


class VendorError(Exception):
    """What was fetched, or what is on disk, is not what the lock says."""


class LockedFile(TypedDict):
    source: str  # inside the package
    target: str  # inside static/vendor
    integrity: str  # sha384 of the target, as an HTML integrity attribute states it


class LockedPackage(TypedDict):
    name: str
    version: str
    licence: str
    integrity: str  # sha512 of the tarball, as npm publishes it
    files: list[LockedFile]


def digest(content: bytes, *, algorithm: str) -> str:
    """Return a subresource integrity value."""
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


def read_lock(directory: Path) -> list[LockedPackage]:
    return cast(list[LockedPackage], json.loads((directory / LOCK_NAME).read_text())["packages"])


def write_lock(directory: Path, packages: list[LockedPackage]) -> None:
    (directory / LOCK_NAME).write_text(json.dumps({"packages": packages}, indent=2) + "\n")


def pack(*, specifier: str, folder: Path) -> bytes:
    """Return the tarball that npm has for a `name@version`."""
    command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), specifier]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return (folder / result.stdout.strip().splitlines()[-1]).read_bytes()


def served(name: str, content: bytes) -> bytes:
    """Return a file's content as we serve it."""
    if Path(name).suffix in TEXT_SUFFIXES:
        return SOURCE_MAP.sub(b"", content).rstrip() + b"\n"
    return content


def unpack(package: LockedPackage, tarball: Path, directory: Path) -> LockedPackage:
    """Write the listed files of a tarball that matches its lock, and return the package with the files' hashes."""
    found = digest(tarball.read_bytes(), algorithm="sha512")
    if found != package["integrity"]:
        raise VendorError(f"{package['name']} {package['version']}: the tarball is {found}, the lock says {package['integrity']}")
    with tarfile.open(tarball) as archive:
        files = [unpack_file(archive, file, directory) for file in package["files"]]
    return {**package, "files": files}


def unpack_file(archive: tarfile.TarFile, file: LockedFile, directory: Path) -> LockedFile:
    member = archive.extractfile(f"package/{file['source']}")
    if member is None:
        raise VendorError(f"{file['source']} is not a file of its package")
    content = served(file["source"], member.read())
    target = directory / file["target"]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return {**file, "integrity": digest(content, algorithm="sha384")}


def refresh(directory: Path) -> None:
    """Fetch every package of the lock and write its files and their hashes."""
    packages = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for package in read_lock(directory):
            tarball = folder / "package.tgz"
            tarball.write_bytes(pack(specifier=f"{package['name']}@{package['version']}", folder=folder))
            packages.append(unpack(package, tarball, directory))
    write_lock(directory, packages)


def faults(directory: Path) -> Iterator[str]:
    """Say, a line each, where static/vendor/ differs from its lock."""
    known = {LOCK_NAME}
    for package in read_lock(directory):
        if not any("LICENSE" in file["target"] for file in package["files"]):
            yield f"{package['name']}: no licence text"
        for file in package["files"]:
            known.add(file["target"])
            path = directory / file["target"]
            if not path.is_file():
                yield f"{file['target']}: missing"
            elif digest(path.read_bytes(), algorithm="sha384") != file["integrity"]:
                yield f"{file['target']}: not what the lock says"
    present = (path.relative_to(directory).as_posix() for path in sorted(directory.rglob("*")) if path.is_file())
    yield from (f"{name}: not in the lock" for name in present if name not in known)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare the files with the lock; needs no network")
    parser.add_argument("--directory", type=Path, default=VENDOR_DIR)
    options = parser.parse_args(arguments)
    if not options.check:
        refresh(options.directory)
    found = list(faults(options.directory))
    sys.stderr.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
