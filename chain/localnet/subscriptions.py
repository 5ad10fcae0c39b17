"""Websocket subscriptions: what a client asked for, and the notifications that follow as blocks reach its commitment."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from solders.account import Account
from solders.pubkey import Pubkey
from solders.signature import Signature

from chain.localnet.blocks import Block, Entry
from chain.localnet.chain import Chain, Commitment
from chain.localnet.encoding import AccountForm
from chain.localnet.errors import INVALID_PARAMS, RpcError, invalid_params
from chain.localnet.methods.accounts import Filter
from chain.localnet.methods.method import API_VERSION
from chain.localnet.params import Json, Params, as_key, as_signature

Kind = Literal["account", "program", "logs", "signature", "slot", "root"]
Send = Callable[[Json], None]


@dataclass(slots=True, kw_only=True)
class Subscription:
    number: int
    kind: Kind
    send: Send
    commitment: Commitment = "processed"
    key: Pubkey | None = None  # the account, the program, or what logs must mention
    signature: Signature | None = None
    form: AccountForm | None = None
    filters: tuple[Filter, ...] = ()
    over: bool = False

    def notify(self, value: Any, *, slot: int | None = None) -> None:
        result = value if slot is None else {"context": {"apiVersion": API_VERSION, "slot": slot}, "value": value}
        self.send({"jsonrpc": "2.0", "method": f"{self.kind}Notification", "params": {"result": result, "subscription": self.number}})


class Subscriptions:
    """All clients' subscriptions; hears from the chain as its Listener."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._numbers = itertools.count(1)
        self._all: dict[int, Subscription] = {}
        self._just_made: list[Subscription] = []
        chain.listeners.append(self)

    def handle(self, method: str, params: Params, send: Send, mine: set[int]) -> Any:
        """Carry out one of the …Subscribe and …Unsubscribe methods; returns its result."""
        if method.endswith("Unsubscribe"):
            number = params.number(0)
            if number not in mine & self._all.keys():
                raise RpcError(INVALID_PARAMS, "Invalid subscription id.")
            mine.discard(number)
            self.end([number])
            return True
        subscription = READERS[method](self._chain, params, next(self._numbers), send)
        self._all[subscription.number] = subscription
        mine.add(subscription.number)
        self._just_made.append(subscription)
        return subscription.number

    def answered(self) -> None:
        """The numbers of new subscriptions were sent: tell those that wait for what has happened already."""
        for subscription in self._just_made:
            self._tell_signature(subscription)
        self._just_made.clear()

    def end(self, numbers: list[int]) -> None:
        for number in numbers:
            self._all.pop(number, None)

    def reached(self, commitment: Commitment, block: Block, entries: list[Entry]) -> None:
        for subscription in [one for one in self._all.values() if one.commitment == commitment]:
            match subscription.kind:
                case "account" | "program":
                    self._tell_changes(subscription, block, entries)
                case "logs":
                    _tell_logs(subscription, block, entries)
                case "signature":
                    self._tell_signature(subscription)
                case "root" if commitment == "finalized":
                    subscription.notify(block.slot)

    def began(self, block: Block) -> None:
        for subscription in [one for one in self._all.values() if one.kind == "slot"]:
            subscription.notify({"slot": block.slot, "parent": block.parent_slot, "root": self._chain.at("finalized").slot})

    def _tell_changes(self, subscription: Subscription, block: Block, entries: list[Entry]) -> None:
        """Tell each account once as the block leaves it."""
        changed = {key: stored.account() if stored else None for entry in entries for key, stored in entry.changes.items()}
        assert subscription.key is not None
        assert subscription.form is not None
        if subscription.kind == "account":
            if bytes(subscription.key) in changed:
                account = changed[bytes(subscription.key)] or Account(0, b"", Pubkey.default())
                subscription.notify(subscription.form.json(account), slot=block.slot)
            return
        for key, held in changed.items():
            if held and held.owner == subscription.key and all(one.admits(held) for one in subscription.filters):
                subscription.notify({"pubkey": str(Pubkey(key)), "account": subscription.form.json(held)}, slot=block.slot)

    def _tell_signature(self, subscription: Subscription) -> None:
        """Notify once when the transaction is at its commitment, which ends the subscription."""
        if subscription.kind != "signature" or subscription.over:
            return
        assert subscription.signature is not None
        landed = self._chain.history.get(subscription.signature)
        if landed is not None and landed.slot <= self._chain.at(subscription.commitment).slot:
            subscription.over = True
            subscription.notify({"err": landed.error}, slot=landed.slot)
            self.end([subscription.number])


def _tell_logs(subscription: Subscription, block: Block, entries: list[Entry]) -> None:
    for entry in entries:
        if subscription.key is None or any(one.key == bytes(subscription.key) for one in entry.balances):
            value = {"signature": str(Signature(entry.signature)), "err": entry.error, "logs": entry.logs}
            subscription.notify(value, slot=block.slot)


def _account(chain: Chain, params: Params, number: int, send: Send) -> Subscription:
    config = params.config(1)
    commitment = config.commitment()
    form = AccountForm(chain, config, commitment)
    return Subscription(number=number, kind="account", send=send, commitment=commitment, key=params.key(0), form=form)


def _program(chain: Chain, params: Params, number: int, send: Send) -> Subscription:
    config = params.config(1)
    subscription = _account(chain, params, number, send)
    subscription.kind = "program"
    subscription.filters = tuple(Filter(one) for one in config.items("filters"))
    return subscription


def _logs(_chain: Chain, params: Params, number: int, send: Send) -> Subscription:
    wanted = params.raw(0)
    key = None
    if wanted not in ("all", "allWithVotes"):
        mentions = params.config(0).items("mentions")
        if len(mentions) != 1:
            raise invalid_params("Only 1 address supported")
        key = as_key(mentions[0])
    return Subscription(number=number, kind="logs", send=send, commitment=params.config(1).commitment(), key=key)


def _signature(_chain: Chain, params: Params, number: int, send: Send) -> Subscription:
    commitment = params.config(1).commitment()
    return Subscription(number=number, kind="signature", send=send, commitment=commitment, signature=as_signature(params.raw(0)))


def _slot(_chain: Chain, _params: Params, number: int, send: Send) -> Subscription:
    return Subscription(number=number, kind="slot", send=send)


def _root(_chain: Chain, _params: Params, number: int, send: Send) -> Subscription:
    return Subscription(number=number, kind="root", send=send, commitment="finalized")


READERS: dict[str, Callable[[Chain, Params, int, Send], Subscription]] = {
    "accountSubscribe": _account,
    "programSubscribe": _program,
    "logsSubscribe": _logs,
    "signatureSubscribe": _signature,
    "slotSubscribe": _slot,
    "rootSubscribe": _root,
}
METHODS = frozenset(READERS) | {name.replace("Subscribe", "Unsubscribe") for name in READERS}
