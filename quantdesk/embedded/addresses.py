"""Where the embedded servers of a data folder are found, whether they run or not: the passwords are made here at first use."""

from pathlib import Path
from urllib.parse import quote

from quantdesk.embedded import secret
from quantdesk.embedded.places import MAX_SOCKET_FOLDER, postgres_home, run_folder
from quantdesk.embedded.roles import DATABASE


def postgres_socket_folder(data_dir: Path) -> Path:
    inside = postgres_home(data_dir) / "run"
    return inside if len(str(inside).encode()) <= MAX_SOCKET_FOLDER else run_folder(data_dir) / "pg"


def postgres_password(data_dir: Path, role: str) -> str:
    return secret.read_or_create(data_dir / "secrets" / role)


def postgres_url(data_dir: Path, role: str, database: str = DATABASE) -> str:
    folder = quote(str(postgres_socket_folder(data_dir)), safe="/")
    return f"postgresql://{role}:{postgres_password(data_dir, role)}@/{database}?host={folder}"


def valkey_socket(data_dir: Path) -> Path:
    return run_folder(data_dir) / "valkey.sock"


def valkey_url(data_dir: Path) -> str:
    return f"unix://{quote(str(valkey_socket(data_dir)), safe='/')}"
