"""Anchor's encoding by a program's IDL: instructions out; accounts, events and errors back."""

import base64
import json
import struct
from pathlib import Path
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

FOLDER = Path(__file__).parents[3] / "chain" / "programs"
NUMBERS = {"u8": "<B", "u16": "<H", "u32": "<I", "u64": "<Q", "i64": "<q", "i32": "<i", "bool": "<?"}


class Program:
    def __init__(self, name: str) -> None:
        self.path = FOLDER / f"{name}.so"
        self.idl = json.loads((FOLDER / f"{name}.json").read_text())
        self.id = Pubkey.from_string(self.idl["address"])
        self.types = {item["name"]: item["type"] for item in self.idl["types"]}
        self.instructions = {item["name"]: item for item in self.idl["instructions"]}
        self.errors = {item["code"]: item["name"] for item in self.idl.get("errors", [])}

    def pda(self, *seeds: bytes) -> Pubkey:
        return Pubkey.find_program_address(list(seeds), self.id)[0]

    def instruction(self, name: str, arguments: dict[str, Any], accounts: dict[str, Pubkey | None], more: list[AccountMeta]) -> Instruction:
        """Build an instruction; an optional account that is None is Anchor's own way of saying none: the program's address."""
        described = self.instructions[name]
        data = bytes(described["discriminator"]) + b"".join(
            self.encode(item["type"], arguments[item["name"]]) for item in described["args"]
        )
        metas = [self._meta(item, accounts) for item in described["accounts"]]
        return Instruction(self.id, data, metas + more)

    def _meta(self, item: dict[str, Any], accounts: dict[str, Pubkey | None]) -> AccountMeta:
        fixed = Pubkey.from_string(item["address"]) if "address" in item else None
        key = accounts.get(item["name"], fixed)
        if key is None:
            assert item.get("optional"), f"{item['name']} is missing"
            return AccountMeta(self.id, is_signer=False, is_writable=False)
        return AccountMeta(key, is_signer=item.get("signer", False), is_writable=item.get("writable", False))

    def encode(self, kind: Any, value: Any) -> bytes:
        match kind:
            case "u128":
                return int(value).to_bytes(16, "little")
            case "pubkey":
                return bytes(value)
            case "bytes":
                return struct.pack("<I", len(value)) + bytes(value)
            case str():
                return struct.pack(NUMBERS[kind], value)
            case {"array": ["u8", _]}:
                return bytes(value)
            case {"vec": inner}:
                return struct.pack("<I", len(value)) + b"".join(self.encode(inner, item) for item in value)
            case {"defined": {"name": name}}:
                return self._encode_defined(self.types[name], value)
        raise TypeError(kind)

    def _encode_defined(self, kind: dict[str, Any], value: Any) -> bytes:
        if kind["kind"] == "struct":
            return b"".join(self.encode(field["type"], value[field["name"]]) for field in kind["fields"])
        (name, fields), *_ = value.items()
        place = next(place for place, variant in enumerate(kind["variants"]) if variant["name"] == name)
        described = kind["variants"][place].get("fields", [])
        return bytes([place]) + b"".join(self.encode(field["type"], fields[field["name"]]) for field in described)

    def account(self, name: str, data: bytes) -> dict[str, Any]:
        described = next(item for item in self.idl["accounts"] if item["name"] == name)
        assert data[:8] == bytes(described["discriminator"]), f"not a {name}"
        value, _ = self._decode({"defined": {"name": name}}, data, 8)
        assert isinstance(value, dict)
        return value

    def events(self, logs: list[str]) -> list[tuple[str, dict[str, Any]]]:
        known = {bytes(item["discriminator"]): item["name"] for item in self.idl["events"]}
        blobs = [base64.b64decode(line.removeprefix("Program data: ")) for line in logs if line.startswith("Program data: ")]
        return [(known[blob[:8]], self._decode({"defined": {"name": known[blob[:8]]}}, blob, 8)[0]) for blob in blobs if blob[:8] in known]

    def _decode(self, kind: Any, data: bytes, at: int) -> tuple[Any, int]:
        match kind:
            case "u128":
                return int.from_bytes(data[at : at + 16], "little"), at + 16
            case "pubkey":
                return Pubkey.from_bytes(data[at : at + 32]), at + 32
            case "bytes":
                end = at + 4 + int(struct.unpack_from("<I", data, at)[0])
                return data[at + 4 : end], end
            case "i128" | "u128":
                return int.from_bytes(data[at : at + 16], "little", signed=kind == "i128"), at + 16
            case str():
                return struct.unpack_from(NUMBERS[kind], data, at)[0], at + struct.calcsize(NUMBERS[kind])
            case {"array": ["u8", length]}:
                return data[at : at + length], at + length
            case {"array": [inner, length]}:
                return self._decode_many(inner, length, data, at)
            case {"vec": inner}:
                return self._decode_many(inner, struct.unpack_from("<I", data, at)[0], data, at + 4)
            case {"defined": {"name": name}}:
                return self._decode_defined(self.types[name], data, at)
        raise TypeError(kind)

    def _decode_many(self, inner: Any, length: int, data: bytes, at: int) -> tuple[list[Any], int]:
        items = []
        for _ in range(length):
            item, at = self._decode(inner, data, at)
            items.append(item)
        return items, at

    def _decode_defined(self, kind: dict[str, Any], data: bytes, at: int) -> tuple[Any, int]:
        if kind["kind"] == "enum":
            return kind["variants"][data[at]]["name"], at + 1
        value = {}
        for field in kind["fields"]:
            value[field["name"]], at = self._decode(field["type"], data, at)
        return value, at
