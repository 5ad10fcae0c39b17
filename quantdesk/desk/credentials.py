"""The demo's logins: random at the first start, then kept in a file that its owner alone can read."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from quantdesk.embedded.secret import write_private

TRADERS = ("alice", "bob")
STAFF = "staff"
HEADER = "# Logins of this demo exchange, made at random at its first start: user name, password.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Passwords by user name; `made` names those that did not exist before."""

    path: Path
    passwords: dict[str, str]
    made: frozenset[str]

    @classmethod
    def load(cls, data_dir: Path) -> "Credentials":
        """Read the file; make what is missing."""
        path = data_dir / "credentials"
        known = dict(line.split() for line in path.read_text().splitlines() if not line.startswith("#")) if path.exists() else {}
        passwords = {name: known.get(name) or secrets.token_urlsafe(12) for name in (*TRADERS, STAFF)}
        if passwords != known:
            write_private(path, HEADER + "".join(f"{name} {password}\n" for name, password in passwords.items()))
        return cls(path=path, passwords=passwords, made=frozenset(passwords.keys() - known.keys()))
