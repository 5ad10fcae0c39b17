"""Accounts and transactions as RPC methods write them."""

import base64
from typing import Any

from solders.account import Account
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from chain import base58
from chain.localnet import tokens
from chain.localnet.blocks import Balances, Entry, InnerInstruction
from chain.localnet.chain import Chain, Commitment
from chain.localnet.errors import UNSUPPORTED_VERSION, RpcError, invalid_params
from chain.localnet.history import Landed
from chain.localnet.params import Config, Json
from chain.localnet.transactions import is_writable

ACCOUNT_ENCODINGS = ("base58", "base64", "jsonParsed", "binary")
TRANSACTION_ENCODINGS = ("json", "jsonParsed", "base64", "base58", "binary")
MAX_BASE58_BYTES = 128
UNSUPPORTED_VERSION_TEXT = (
    "Transaction version (0) is not supported by the requesting client. "
    'Please try the request again with the following configuration parameter: "maxSupportedTransactionVersion": 0'
)


class AccountForm:
    """How a request wants accounts written."""

    def __init__(self, chain: Chain, config: Config, commitment: Commitment) -> None:
        self._chain = chain
        self._commitment: Commitment = commitment
        self._encoding = config.text("encoding", "binary", among=ACCOUNT_ENCODINGS)
        self._slice: tuple[int, int] | None = None
        piece = config.inner("dataSlice")
        if piece is not None:
            self._slice = (piece.number("offset") or 0, piece.number("length") or 0)

    def json(self, account: Account | None) -> Json | None:
        if account is None:
            return None
        return {
            "lamports": account.lamports,
            "owner": str(account.owner),
            "data": self._data(account),
            "executable": account.executable,
            "rentEpoch": account.rent_epoch,
            "space": len(account.data),
        }

    def _data(self, account: Account) -> Any:
        if self._encoding == "jsonParsed":
            parsed = tokens.parsed(account, self._decimals(account))
            if parsed is not None:
                return parsed
        data = bytes(account.data)
        if self._slice is not None:
            data = data[self._slice[0] : self._slice[0] + self._slice[1]]
        if self._encoding in {"base64", "jsonParsed"}:
            return [base64.b64encode(data).decode(), "base64"]
        if len(data) > MAX_BASE58_BYTES:
            raise invalid_params("Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding.")
        return base58.encode(data) if self._encoding == "binary" else [base58.encode(data), "base58"]

    def _decimals(self, account: Account) -> int | None:
        held = tokens.holding(account)
        mint = self._chain.account(Pubkey(held[0]), self._commitment) if held else None
        return tokens.decimals(mint) if mint is not None and tokens.is_mint(mint) else None


def error_status(error: Any) -> Json:
    return {"Ok": None} if error is None else {"Err": error}


def transaction_json(chain: Chain, landed: Landed, *, encoding: str, max_version: int | None) -> Json:
    entry = landed.entry
    transaction = VersionedTransaction.from_bytes(entry.transaction)
    versioned = isinstance(transaction.message, MessageV0)
    if versioned and max_version is None:
        raise RpcError(UNSUPPORTED_VERSION, UNSUPPORTED_VERSION_TEXT)
    answer = {
        "slot": landed.slot,
        "blockTime": landed.time_s,
        "meta": meta_json(chain, entry),
        "transaction": _written(transaction, entry, encoding),
    }
    return answer if max_version is None else answer | {"version": 0 if versioned else "legacy"}


def meta_json(chain: Chain, entry: Entry) -> Json:
    meta: Json = {
        "err": entry.error,
        "status": error_status(entry.error),
        "fee": entry.fee_lamports,
        "preBalances": [one.lamports_before for one in entry.balances],
        "postBalances": [one.lamports_after for one in entry.balances],
        "preTokenBalances": [_token_balance(chain, i, one, one.token_before) for i, one in enumerate(entry.balances) if one.token_before],
        "postTokenBalances": [_token_balance(chain, i, one, one.token_after) for i, one in enumerate(entry.balances) if one.token_after],
        "innerInstructions": inner_json(entry.inner),
        "logMessages": entry.logs,
        "rewards": [],
        "loadedAddresses": {
            name: [base58.encode(key) for key in keys] for name, keys in zip(("writable", "readonly"), entry.loaded, strict=True)
        },
        "computeUnitsConsumed": entry.compute_units,
    }
    returned = return_data_json(entry.return_data)
    return meta if returned is None else meta | {"returnData": returned}


def inner_json(inner: list[tuple[int, list[InnerInstruction]]]) -> list[Json]:
    return [{"index": index, "instructions": [_inner_instruction(one) for one in instructions]} for index, instructions in inner]


def return_data_json(returned: tuple[bytes, bytes] | None) -> Json | None:
    if returned is None:
        return None
    return {"programId": base58.encode(returned[0]), "data": [base64.b64encode(returned[1]).decode(), "base64"]}


def _inner_instruction(one: InnerInstruction) -> Json:
    return {
        "programIdIndex": one.program_index,
        "accounts": list(one.accounts),
        "data": base58.encode(one.data),
        "stackHeight": one.stack_height,
    }


def _token_balance(chain: Chain, index: int, one: Balances, held: tuple[bytes, bytes, int]) -> Json:
    mint = chain.account(Pubkey(held[0]), "processed")
    places = tokens.decimals(mint) if mint is not None and tokens.is_mint(mint) else 0
    return {
        "accountIndex": index,
        "mint": base58.encode(held[0]),
        "owner": base58.encode(held[1]),
        "programId": str(tokens.TOKEN_PROGRAM),
        "uiTokenAmount": tokens.ui_amount(held[2], places),
    }


def _written(transaction: VersionedTransaction, entry: Entry, encoding: str) -> Any:
    if encoding == "base64":
        return [base64.b64encode(entry.transaction).decode(), "base64"]
    if encoding == "base58":
        return [base58.encode(entry.transaction), "base58"]
    if encoding == "binary":
        return base58.encode(entry.transaction)
    message = _parsed_message(transaction, entry) if encoding == "jsonParsed" else _raw_message(transaction)
    return {"signatures": [str(signature) for signature in transaction.signatures], "message": message}


def _raw_message(transaction: VersionedTransaction) -> Json:
    message = transaction.message
    written: Json = {
        "header": {
            "numRequiredSignatures": message.header.num_required_signatures,
            "numReadonlySignedAccounts": message.header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": message.header.num_readonly_unsigned_accounts,
        },
        "accountKeys": [str(key) for key in message.account_keys],
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [
            {
                "programIdIndex": one.program_id_index,
                "accounts": list(bytes(one.accounts)),
                "data": base58.encode(bytes(one.data)),
                "stackHeight": None,
            }
            for one in message.instructions
        ],
    }
    return written | {"addressTableLookups": _lookups(message)} if isinstance(message, MessageV0) else written


def _parsed_message(transaction: VersionedTransaction, entry: Entry) -> Json:
    """Write keys with their roles, and each instruction as validators write those that they have no parser for."""
    message = transaction.message
    keys = [base58.encode(one.key) for one in entry.balances]
    writable = {base58.encode(key) for key in entry.loaded[0]}
    writable |= {str(key) for index, key in enumerate(message.account_keys) if is_writable(transaction, index)}
    static, signers = len(message.account_keys), message.header.num_required_signatures
    written: Json = {
        "accountKeys": [
            {
                "pubkey": key,
                "signer": index < signers,
                "writable": key in writable,
                "source": "transaction" if index < static else "lookupTable",
            }
            for index, key in enumerate(keys)
        ],
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [
            {
                "programId": keys[one.program_id_index],
                "accounts": [keys[index] for index in bytes(one.accounts)],
                "data": base58.encode(bytes(one.data)),
                "stackHeight": None,
            }
            for one in message.instructions
        ],
    }
    return written | {"addressTableLookups": _lookups(message)} if isinstance(message, MessageV0) else written


def _lookups(message: MessageV0) -> list[Json]:
    return [
        {
            "accountKey": str(one.account_key),
            "writableIndexes": list(bytes(one.writable_indexes)),
            "readonlyIndexes": list(bytes(one.readonly_indexes)),
        }
        for one in message.address_table_lookups
    ]
