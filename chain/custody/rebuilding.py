"""Events of a transaction whose logs were cut short, from its instructions: these nobody can cut.

What the program numbers follows from the instructions that it carried out, in their order, calls by other programs among them.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from solders.pubkey import Pubkey

from chain import base58
from chain.client import ChainClient
from chain.custody.events import Told
from chain.custody.instructions import voucher_address
from chain.custody.models import ChainEvent
from chain.deployment import Deployment
from chain.idl import snake_case

KINDS: Final = {
    "deposit": "Deposited",
    "withdraw": "Withdrawn",
    "register_key": "KeyRegistered",
    "revoke_key": "KeyRevoked",
    "cancel_nonces": "NoncesCancelled",
    "request_exit": "ExitRequested",
    "match_orders": "OrdersMatched",
    "liquidate": "PositionLiquidated",
}
DISCRIMINATORS = {hashlib.sha256(f"global:{name}".encode()).digest()[:8]: name for name in KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """An instruction of the program that was carried out: its name, its arguments' bytes, its accounts by name."""

    name: str
    arguments: bytes
    accounts: dict[str, Pubkey]

    def u64(self, offset: int) -> int:
        return int.from_bytes(self.arguments[offset : offset + 8], "little")

    def i64(self, offset: int) -> int:
        return int.from_bytes(self.arguments[offset : offset + 8], "little", signed=True)


def rebuilt(*, client: ChainClient, chain: Deployment, signature: str, transaction: dict[str, Any], known: int) -> list[Told]:
    """Return the numbered events of a transaction, the first of which follows `known`."""
    events: list[Told] = []
    for one in carried(chain, transaction):
        fields = _fields(client, chain, one, events, transaction.get("blockTime"))
        number = known + len(events) + 1
        events.append(
            Told(
                number=number,
                kind=KINDS[one.name],
                signature=signature,
                slot=transaction["slot"],
                time_s=transaction.get("blockTime"),
                data={"number": number} | fields,
            )
        )
    return events


def carried(chain: Deployment, transaction: dict[str, Any]) -> Iterator[Carried]:
    """Yield the program's numbered instructions in the order in which they were carried out."""
    keys = _keys(transaction)
    described = {snake_case(one.name): [snake_case(account.name) for account in one.accounts] for one in chain.dex.program.idl.instructions}
    for instruction in _in_order(transaction):
        data = base58.decode(instruction["data"]) or b""
        name = DISCRIMINATORS.get(data[:8])
        if keys[instruction["programIdIndex"]] == chain.dex.program.id and name is not None:
            accounts = [keys[index] for index in instruction["accounts"]]
            yield Carried(name=name, arguments=data[8:], accounts=dict(zip(described[name], accounts, strict=False)))


def _keys(transaction: dict[str, Any]) -> list[Pubkey]:
    loaded = transaction["meta"].get("loadedAddresses") or {"writable": [], "readonly": []}
    texts = [*transaction["transaction"]["message"]["accountKeys"], *loaded["writable"], *loaded["readonly"]]
    return [Pubkey.from_string(text) for text in texts]


def _in_order(transaction: dict[str, Any]) -> Iterator[dict[str, Any]]:
    inner = {one["index"]: one["instructions"] for one in transaction["meta"].get("innerInstructions") or []}
    for index, instruction in enumerate(transaction["transaction"]["message"]["instructions"]):
        yield instruction
        yield from inner.get(index, [])


def _fields(client: ChainClient, chain: Deployment, one: Carried, before: list[Told], time_s: int | None) -> dict[str, Any]:
    """Return what the event would have told, as far as applying it needs."""
    user = one.accounts.get("user")
    fields: dict[str, Any] = {"user": str(user)} if user is not None else {}
    if one.name in ("deposit", "withdraw"):
        fields |= {"asset": asset_of(client, chain, one), "amount": one.u64(0)}
    if one.name == "deposit":
        fields["deposit"] = _deposits(str(user), before) + 1
    elif one.name == "withdraw":
        fields["voucher"] = _voucher(client, chain, one)
    elif one.name == "register_key":
        fields["key"] = str(Pubkey(one.arguments[:32]))
    elif one.name == "revoke_key":
        account = client.account(one.accounts["trading_key"], commitment="finalized")
        fields["key"] = str(chain.dex.program.account("TradingKey", account).key)
    elif one.name == "cancel_nonces":
        fields["min_nonce"] = one.u64(0)
    elif one.name == "request_exit":
        fields["requested_at"] = time_s
    elif one.name == "match_orders":
        fields |= _match(client, chain, one)
    elif one.name == "liquidate":
        fields |= {"market_id": _market_id(client, chain, one), "liquidator": str(one.accounts["liquidator"]), "lots": one.i64(0)}
    return fields


def asset_of(client: ChainClient, chain: Deployment, one: Carried) -> int:
    account = client.account(one.accounts["asset"], commitment="finalized")
    return int(chain.dex.program.account("Asset", account).index)


def _match(client: ChainClient, chain: Deployment, one: Carried) -> dict[str, Any]:
    buy, sell = one.arguments[16:48], one.arguments[48:80]
    return {
        "market_id": _market_id(client, chain, one),
        "buyer": str(one.accounts["buyer"]),
        "seller": str(one.accounts["seller"]),
        "size_lots": one.u64(0),
        "price_ticks": one.u64(8),
        "buy_order": list(buy),
        "sell_order": list(sell),
    }


def _market_id(client: ChainClient, chain: Deployment, one: Carried) -> int:
    account = client.account(one.accounts["market"], commitment="finalized")
    return int(chain.dex.program.account("Market", account).market_id)


def _deposits(user: str, before: list[Told]) -> int:
    """Return how many deposits of this account were told so far."""
    stored = ChainEvent.objects.filter(account_address=user, kind="Deposited").count()
    return stored + sum(event.kind == "Deposited" and event.account_address == user for event in before)


def _voucher(client: ChainClient, chain: Deployment, one: Carried) -> int:
    """Return the number of the voucher at this address, 0 where none was used."""
    address, user = one.accounts["voucher"], one.accounts["user"]
    if address == chain.dex.program.id:
        return 0
    granted = int(chain.dex.program.account("User", client.account(user, commitment="finalized")).vouchers)
    return next(number for number in range(granted, 0, -1) if voucher_address(chain, user, number) == address)
