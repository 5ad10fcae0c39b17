"""Reading the parameters of a JSON-RPC call. What is malformed is refused as Invalid params."""

import base64
import binascii
from typing import Any, cast

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from chain import base58
from chain.localnet.chain import Commitment
from chain.localnet.errors import invalid_params
from chain.localnet.transactions import MAX_BYTES

COMMITMENTS = {
    "processed": "processed",
    "confirmed": "confirmed",
    "finalized": "finalized",
    "recent": "processed",
    "single": "confirmed",
    "singleGossip": "confirmed",
    "root": "finalized",
    "max": "finalized",
}
MAX_U64 = 2**64 - 1
Json = dict[str, Any]


class Config:
    """The object that most methods take last."""

    def __init__(self, values: Any) -> None:
        if values is not None and not isinstance(values, dict):
            raise invalid_params("expected an object")
        self.values: Json = values or {}

    def commitment(self, name: str = "commitment", default: Commitment = "finalized") -> Commitment:
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, str) or value not in COMMITMENTS:
            raise invalid_params(f"unknown commitment {value!r}")
        return cast(Commitment, COMMITMENTS[value])

    def text(self, name: str, default: str, *, among: tuple[str, ...]) -> str:
        value = self.values.get(name)
        if value is None:
            return default
        if value not in among:
            raise invalid_params(f"{name} must be one of {', '.join(among)}")
        return str(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise invalid_params(f"{name} must be true or false")
        return value

    def number(self, name: str) -> int | None:
        value = self.values.get(name)
        return None if value is None else as_number(value, name)

    def inner(self, name: str) -> "Config | None":
        value = self.values.get(name)
        return None if value is None else Config(value)

    def items(self, name: str) -> list[Any]:
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise invalid_params(f"{name} must be an array")
        return value


class Params:
    def __init__(self, values: Any) -> None:
        if values is not None and not isinstance(values, list):
            raise invalid_params("expected an array")
        self.values: list[Any] = values or []

    def raw(self, index: int) -> Any:
        return self.values[index] if index < len(self.values) else None

    def text(self, index: int) -> str:
        value = self.raw(index)
        if not isinstance(value, str):
            raise invalid_params(f"parameter {index} must be a string")
        return value

    def number(self, index: int) -> int:
        return as_number(self.raw(index), f"parameter {index}")

    def key(self, index: int) -> Pubkey:
        return as_key(self.raw(index))

    def items(self, index: int, most: int) -> list[Any]:
        value = self.raw(index)
        if not isinstance(value, list):
            raise invalid_params(f"parameter {index} must be an array")
        if len(value) > most:
            raise invalid_params(f"Too many inputs provided; max {most}")
        return value

    def config(self, index: int) -> Config:
        return Config(self.raw(index))


def as_number(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_U64:
        raise invalid_params(f"{name} must be a whole number")
    return value


def as_key(value: Any) -> Pubkey:
    return Pubkey(_fixed(value, 32, "WrongSize"))


def as_signature(value: Any) -> Signature:
    return Signature(_fixed(value, 64, "WrongSize"))


def as_hash(value: Any) -> Hash:
    return Hash(_fixed(value, 32, "WrongSize"))


def _fixed(value: Any, length: int, wrong: str) -> bytes:
    data = base58.decode(value) if isinstance(value, str) and len(value) <= 2 * length else None
    if data is None:
        raise invalid_params("Invalid")
    if len(data) != length:
        raise invalid_params(wrong)
    return data


def as_bytes(text: str, encoding: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True) if encoding == "base64" else base58.decode(text)
    except binascii.Error as error:
        raise invalid_params(f"invalid base64 encoding: {error}") from error
    if data is None:
        raise invalid_params("invalid base58 encoding")
    return data


def as_transaction(text: str, encoding: str) -> VersionedTransaction:
    if len(text) > 2 * MAX_BYTES:
        raise invalid_params(f"{encoding} encoded VersionedTransaction too large: {len(text)} bytes")
    data = as_bytes(text, encoding)
    if len(data) > MAX_BYTES:
        raise invalid_params(f"decoded VersionedTransaction too large: {len(data)} bytes (max: {MAX_BYTES} bytes)")
    try:
        transaction = VersionedTransaction.from_bytes(data)
        transaction.sanitize()
    except Exception as error:  # solders raises different classes for what is short, long or senseless
        raise invalid_params(f"failed to deserialize VersionedTransaction: {error}") from error
    return transaction
