"""Random secrets, one file each, readable by their owner alone and stable over restarts."""

import os
import secrets
import tempfile
from pathlib import Path


def read_or_create(path: Path, *, prefix: str = "") -> str:
    """Return the secret in `path`, made at the first call; of two processes that make it at once, one wins for both."""
    try:
        return path.read_text()
    except FileNotFoundError:
        _create(path, prefix + secrets.token_urlsafe(48))
        return path.read_text()


def _create(path: Path, value: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent)  # created with mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(value)
        # A link appears with its whole content, and fails where another process was first.
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        Path(temporary).unlink()


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole, readable by its owner alone."""
    temporary = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.rename(path)
