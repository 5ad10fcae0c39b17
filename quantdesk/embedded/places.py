"""Where the embedded servers keep their things."""

import hashlib
import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from quantdesk.embedded.errors import ServerError

SYSTEM_FOLDER = Path("/var/lib/quantdesk")
MAX_SOCKET_FOLDER = 76  # sun_path holds 104 bytes on macOS, and the longest socket name of ours takes 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The user that a server runs as."""

    uid: int
    gid: int


def server_identity() -> Identity:
    """Return who runs PostgreSQL: this user, or nobody in place of root, as which it refuses to run."""
    if os.geteuid() != 0:
        return Identity(uid=os.geteuid(), gid=os.getegid())
    nobody = pwd.getpwnam("nobody")
    return Identity(uid=nobody.pw_uid, gid=nobody.pw_gid)


def is_open_to_all(folder: Path) -> bool:
    """Tell whether every user can pass through `folder` and its parents."""
    return all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents) if parent.exists())


def tag(data_dir: Path) -> str:
    """Return a short name that stands for a data folder in places outside it."""
    return hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]


def run_folder(data_dir: Path) -> Path:
    """Return the folder of sockets: inside the data folder, unless its path is too long for a socket's address."""
    inside = data_dir.resolve() / "run"
    if len(os.fsencode(inside)) <= MAX_SOCKET_FOLDER:
        return inside
    return Path(tempfile.gettempdir()) / f"quantdesk-{os.geteuid()}-{tag(data_dir)}"


def postgres_home(data_dir: Path) -> Path:
    """Return the folder of PostgreSQL's data and socket: inside the data folder, unless root's `nobody` cannot reach it.

    What exists stays where it is: opening or closing a parent folder later must not make the data seem lost.
    """
    inside, outside = data_dir.resolve() / "postgres", SYSTEM_FOLDER / tag(data_dir)
    if inside.exists() or os.geteuid() != 0:
        return inside
    if outside.exists() or not is_open_to_all(data_dir.resolve().parent):
        return outside
    return inside


def make_private(folder: Path, owner: Identity | None = None) -> Path:
    """Create `folder` for its owner alone; refuse one that somebody else made first."""
    uid = owner.uid if owner else os.geteuid()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if owner and folder.stat().st_uid == os.geteuid() != uid:
            os.chown(folder, owner.uid, owner.gid)
    except OSError as error:
        raise ServerError(f"cannot write to {folder}: {(error.strerror or str(error)).lower()}") from error
    if folder.is_symlink() or folder.stat().st_uid != uid:
        raise ServerError(f"{folder} belongs to another user; run as that user, or choose another DATA_DIR")
    folder.chmod(0o700)
    return folder


def make_data_folder(data_dir: Path) -> Path:
    """Create the data folder. As root it lets `nobody`, who runs PostgreSQL, pass through to what is its own."""
    make_private(data_dir)
    if os.geteuid() == 0:
        data_dir.chmod(0o711)
    return data_dir


def forget_deleted() -> None:
    """Delete PostgreSQL data whose data folder was a temporary one that is gone: nobody can come back to it."""
    if not os.access(SYSTEM_FOLDER, os.W_OK):
        return
    for mark in SYSTEM_FOLDER.glob("*/belongs-to"):
        data_dir = Path(mark.read_text())
        if data_dir.is_relative_to(tempfile.gettempdir()) and not data_dir.exists():
            shutil.rmtree(mark.parent)
