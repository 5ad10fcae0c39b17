"""Accounts of a Solana cluster, over its JSON-RPC."""

import base64
import binascii
from typing import NamedTuple

import httpx
import msgspec

from oracle.feeds import http
from oracle.feeds.feed import FeedLimited, FeedMalformed, FeedUnreachable

LIMITED_CODES = {-32429, 429}


class ChainAccount(NamedTuple):
    """An account's owner (base58) and data."""

    owner: str
    data: bytes


class AccountFields(msgspec.Struct, frozen=True):
    owner: str
    data: tuple[str, str]  # the data, and that it is base64


class Values(msgspec.Struct, frozen=True):
    value: list[AccountFields | None]


class RpcError(msgspec.Struct, frozen=True):
    code: int = 0
    message: str = ""


class Answer(msgspec.Struct, frozen=True):
    result: Values | None = None
    error: RpcError | None = None


_answers = msgspec.json.Decoder(Answer)


async def accounts(client: httpx.AsyncClient, addresses: list[str]) -> list[ChainAccount | None]:
    """Return the accounts at these addresses, None where there is none."""
    parameters = [addresses, {"encoding": "base64", "commitment": "confirmed"}]
    question = {"jsonrpc": "2.0", "id": 1, "method": "getMultipleAccounts", "params": parameters}
    found = _decode(await http.body(client, "", [], method="POST", json=question))
    if len(found) != len(addresses):
        raise FeedMalformed(reason="another number of accounts", accounts=len(found))
    return [None if fields is None else ChainAccount(fields.owner, _bytes(fields)) for fields in found]


def _decode(data: bytes) -> list[AccountFields | None]:
    try:
        answer = _answers.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FeedMalformed(reason=str(error)) from error
    if answer.error is not None and answer.error.code in LIMITED_CODES:
        raise FeedLimited(retry_seconds=http.LIMITED_SECONDS, reason=answer.error.message[:80])
    if answer.error is not None or answer.result is None:
        raise FeedUnreachable(reason=answer.error.message[:80] if answer.error else "no result")
    return answer.result.value


def _bytes(fields: AccountFields) -> bytes:
    try:
        return base64.b64decode(fields.data[0], validate=True)
    except (binascii.Error, ValueError) as error:
        raise FeedMalformed(reason="base64") from error
