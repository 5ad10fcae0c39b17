"""Where the desk's localnet serves: the same port in each run, as long as nobody else has taken it."""

import socket
from pathlib import Path

from quantdesk.desk.errors import DeskError

FIRST_PORT, LAST_PORT = 8899, 9899  # where Solana's own test validator serves, and what is tried after it
FINAL_AFTER = 4  # blocks: seconds instead of a quarter of a minute


def choose_port(folder: Path) -> int:
    """Return a port that is free together with the next, for HTTP and websocket; noted in the localnet's folder."""
    note = folder / "port"
    known = int(note.read_text()) if note.exists() else FIRST_PORT
    port: int
    for port in (known, *range(FIRST_PORT, LAST_PORT, 2)):
        if _is_free(port) and _is_free(port + 1):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            note.write_text(str(port))
            return port
    raise DeskError(f"no port from {FIRST_PORT} to {LAST_PORT} is free for the localnet; --no-chain does without")


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
