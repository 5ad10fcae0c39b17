"""The operator's keys of a localnet, made once, and the files that only he may read."""

import hashlib
import os
from pathlib import Path

import msgspec
from solders.keypair import Keypair

from chain.deployment import FILE, Deployment, Keys

PUBLISHERS = 2
NAMES = (
    "custodian",
    "settler",
    "authority",
    *(f"publisher-{place + 1}" for place in range(PUBLISHERS)),
    "faucet",
    "usdc-mint",
    "stake-mint",
)


def make_keys(folder: Path) -> Keys:
    """Make the keys that are not there yet, for this user's eyes alone, and return all of them."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in NAMES:
        path = folder / f"{name}.json"
        if not path.exists():
            _write(path, Keypair().to_json())
    return Keys(folder=folder, publisher_count=PUBLISHERS)


def program_key(name: str) -> Keypair:
    """Return the key of a program as it is built here: everybody can make it, so only a localnet may be initialised with it."""
    return Keypair.from_seed(hashlib.sha256(f"quantdesk localnet {name}".encode()).digest())


def write_record(found: Deployment) -> None:
    """Write deployment.json: from here on the exchange has a chain."""
    found.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(found.folder / FILE, msgspec.json.format(msgspec.json.encode(found.record)).decode() + "\n")


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    _write(temporary, text)
    temporary.rename(path)


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
