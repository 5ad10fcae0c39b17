"""What a client may say on the socket. docs/socket.md says the same to readers."""

from typing import Annotated, Any, Literal

import msgspec

from markets import fields
from markets.commands import MAX_BATCH
from markets.errors import DomainError
from trading.requests import AmendItem, AmendRequest, CancelItem, CancelRequest, PlaceItem, PlaceRequest

MAX_FRAME_BYTES = 65_536
Channel = Literal["book", "trades", "ticker", "tickers", "candles", "oracle", "account"]
Id = int | Annotated[str, msgspec.Meta(max_length=64)] | None


class Op(msgspec.Struct, frozen=True, tag_field="op", kw_only=True, forbid_unknown_fields=True):
    """A request; its answer repeats `op` and `id`."""

    id: Id = None


class Subscribe(Op, frozen=True, tag="subscribe", kw_only=True):
    channel: Channel
    market: str = ""
    interval: str = ""
    kind: Literal["trade", "mark"] = "trade"
    account_id: int = 0


class Unsubscribe(Subscribe, frozen=True, tag="unsubscribe", kw_only=True):
    """Ends the subscription that the same fields name."""


class Resync(Subscribe, frozen=True, tag="resync", kw_only=True):
    """Asks for a fresh snapshot of a subscription."""


class Ping(Op, frozen=True, tag="ping", kw_only=True):
    time_ms: int = 0


class Auth(Op, frozen=True, tag="auth", kw_only=True):
    key: str
    timestamp: int
    sign: str
    recv_window: int = 5_000


class Place(Op, frozen=True, tag="place", kw_only=True):
    order: PlaceRequest


class Amend(Op, frozen=True, tag="amend", kw_only=True):
    order: AmendRequest


class Cancel(Op, frozen=True, tag="cancel", kw_only=True):
    order: CancelRequest


class CancelAll(Op, frozen=True, tag="cancel_all", kw_only=True):
    market: str = ""


class Batch(Op, frozen=True, tag="batch", kw_only=True):
    items: Annotated[list[PlaceItem | AmendItem | CancelItem], msgspec.Meta(min_length=1, max_length=MAX_BATCH)]


class CancelOnDisconnect(Op, frozen=True, tag="cancel_on_disconnect", kw_only=True):
    enabled: bool


OrderEntry = Place | Amend | Cancel | CancelAll | Batch
Said = Subscribe | Unsubscribe | Resync | Ping | Auth | OrderEntry | CancelOnDisconnect

_said: Any = Said  # a union is no type to mypy
_decoder = msgspec.json.Decoder(_said)
encode = msgspec.json.Encoder().encode


def decode(text: str | bytes) -> Said:
    """Decode a frame; a DomainError says what is wrong with it."""
    try:
        said: Said = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = fields.decode(text, _said)  # fails again, in the API's words
    return said


def addressed(text: str | bytes) -> dict[str, Any]:
    """Return the `op` and `id` of a frame that could not be decoded, as far as it has them."""
    try:
        said = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {"op": None, "id": None}
    if not isinstance(said, dict):
        return {"op": None, "id": None}
    op, name = said.get("op"), said.get("id")
    return {"op": op if isinstance(op, str) else None, "id": name if isinstance(name, int | str) else None}


def answer(said: Op, **fields: Any) -> bytes:
    return encode({"op": said.__struct_config__.tag, "id": said.id, "ok": True, **fields})


def pong(said: Ping, *, server_ms: int) -> bytes:
    return encode({"op": "pong", "id": said.id, "time_ms": said.time_ms, "server_ms": server_ms})


def refusal(to: Op | dict[str, Any], error: DomainError) -> bytes:
    named = to if isinstance(to, dict) else {"op": to.__struct_config__.tag, "id": to.id}
    return encode({**named, "ok": False, "error": {"code": error.code, "message": error.message, "data": error.data}})
