"""Base58, as addresses and signatures are written."""

import based58


def encode(data: bytes) -> str:
    return str(based58.b58encode(data).decode())


def decode(text: str) -> bytes | None:
    """Return None for what is not base58."""
    try:
        return bytes(based58.b58decode(text.encode()))
    except ValueError:
        return None
