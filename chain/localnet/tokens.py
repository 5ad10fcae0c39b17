"""SPL token accounts and mints, as far as RPC methods look into them."""

import struct
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

TOKEN_PROGRAM = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
ACCOUNT_BYTES, MINT_BYTES = 165, 82
AMOUNT_OFFSET, DELEGATE_OFFSET, STATE_OFFSET, NATIVE_OFFSET, CLOSE_OFFSET = 64, 72, 108, 109, 129
SUPPLY_OFFSET, DECIMALS_OFFSET, FREEZE_OFFSET = 36, 44, 46
STATES = ("uninitialized", "initialized", "frozen")


def is_token_account(account: Account | None) -> bool:
    return account is not None and account.owner == TOKEN_PROGRAM and len(account.data) == ACCOUNT_BYTES and account.data[STATE_OFFSET] > 0


def is_mint(account: Account | None) -> bool:
    return account is not None and account.owner == TOKEN_PROGRAM and len(account.data) == MINT_BYTES and account.data[45] == 1


def holding(account: Account | None) -> tuple[bytes, bytes, int] | None:
    """Return (mint, owner, amount), or None when this is no token account."""
    if account is None or not is_token_account(account):
        return None
    data = bytes(account.data)
    return data[:32], data[32:64], struct.unpack_from("<Q", data, AMOUNT_OFFSET)[0]


def decimals(mint: Account) -> int:
    return mint.data[DECIMALS_OFFSET]


def supply(mint: Account) -> int:
    (amount,) = struct.unpack_from("<Q", bytes(mint.data), SUPPLY_OFFSET)
    return int(amount)


def ui_amount(amount: int, places: int) -> dict[str, Any]:
    """Return an amount as RPC methods write it; `uiAmount` is a float there, for show only."""
    text = f"{amount:0{places + 1}d}"
    whole = f"{text[:-places]}.{text[-places:]}".rstrip("0").rstrip(".") if places else text
    return {"amount": str(amount), "decimals": places, "uiAmount": float(whole), "uiAmountString": whole}


def parsed(account: Account, places: int | None) -> dict[str, Any] | None:
    """Return the account as jsonParsed has it; None for what is neither a mint nor a token account of a known mint."""
    if is_mint(account):
        return _parsed_mint(bytes(account.data))
    if is_token_account(account) and places is not None:
        return _parsed_account(bytes(account.data), places)
    return None


def _parsed_mint(data: bytes) -> dict[str, Any]:
    info = {
        "mintAuthority": _option(data, 0),
        "supply": str(struct.unpack_from("<Q", data, SUPPLY_OFFSET)[0]),
        "decimals": data[DECIMALS_OFFSET],
        "isInitialized": True,
        "freezeAuthority": _option(data, FREEZE_OFFSET),
    }
    return {"program": "spl-token", "parsed": {"type": "mint", "info": info}, "space": MINT_BYTES}


def _parsed_account(data: bytes, places: int) -> dict[str, Any]:
    info: dict[str, Any] = {
        "mint": str(Pubkey(data[:32])),
        "owner": str(Pubkey(data[32:64])),
        "tokenAmount": ui_amount(struct.unpack_from("<Q", data, AMOUNT_OFFSET)[0], places),
        "state": STATES[data[STATE_OFFSET]],
        "isNative": struct.unpack_from("<I", data, NATIVE_OFFSET)[0] == 1,
    }
    if delegate := _option(data, DELEGATE_OFFSET):
        info |= {"delegate": delegate, "delegatedAmount": ui_amount(struct.unpack_from("<Q", data, 121)[0], places)}
    if close := _option(data, CLOSE_OFFSET):
        info["closeAuthority"] = close
    return {"program": "spl-token", "parsed": {"type": "account", "info": info}, "space": ACCOUNT_BYTES}


def _option(data: bytes, offset: int) -> str | None:
    """Read a COption<Pubkey>."""
    return str(Pubkey(data[offset + 4 : offset + 36])) if struct.unpack_from("<I", data, offset)[0] == 1 else None
