"""The order ticket: what a person typed, turned into the request that programs send, with errors by field."""

import re
import time
import uuid
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

from markets import units
from markets.fields import InvalidField, convert
from markets.parameters import MarketParameters
from markets.signed_orders import OrderMalformed, decode, take_apart
from trading.requests import MAX_SIGNED_CHARACTERS, PRICED, TRIGGERED, PlaceRequest

MAIN_TYPES = (("market", "Market"), ("limit", "Limit"), ("stop_market", "Stop"))
MORE_TYPES = (("stop_limit", "Stop limit"), ("take_profit_market", "Take profit"), ("take_profit_limit", "Take profit limit"))
TYPE_NAMES = dict(MAIN_TYPES + MORE_TYPES)
TIF_CHOICES = (("gtc", "Until cancelled"), ("gtd", "Until a time"), ("ioc", "Immediate or cancel"), ("fok", "Fill or kill"))
GOOD_TILL_CHOICES = (("1h", "1 hour"), ("8h", "8 hours"), ("1d", "1 day"), ("7d", "7 days"))
GOOD_TILL_MS = {"1h": 3_600_000, "8h": 28_800_000, "1d": 86_400_000, "7d": 604_800_000}
TRIGGER_CHOICES = (("mark", "Mark"), ("last", "Last"), ("index", "Index"))
MULTIPLIERS = {"k": Decimal(10**3), "m": Decimal(10**6), "b": Decimal(10**9)}
MAX_TEXT = 40
TEXTS = (
    "side", "type", "price", "trigger_price", "trigger_by", "size", "size_unit", "time_in_force", "good_till", "take_profit", "stop_loss",
)  # fmt: skip
ERROR_PLACES = frozenset({"price", "trigger_price", "size", "time_in_force", "take_profit", "stop_loss"})
CHECKS = ("tpsl", "reduce_only", "post_only")
SHARES = (0, 25, 50, 75, 100)  # per cent of what margin allows

_NUMBER = re.compile(r"\d{1,15}(\.\d{0,12})?|\.\d{1,12}", re.ASCII)


def new_client_order_id() -> str:
    return f"web-{uuid.uuid4().hex[:24]}"


@dataclass(kw_only=True)
class Ticket:
    """The form's values as text, as typed; `errors` by field name, with `form` for what no field is to blame for."""

    leverage: int
    margin_mode: str = "Cross"
    side: str = "buy"
    type: str = "limit"
    price: str = ""
    trigger_price: str = ""
    trigger_by: str = "mark"
    size: str = ""
    size_unit: str = "base"
    time_in_force: str = "gtc"
    good_till: str = "1d"
    take_profit: str = ""
    stop_loss: str = ""
    tpsl: bool = False
    reduce_only: bool = False
    post_only: bool = False
    signed: str = ""
    client_order_id: str = field(default_factory=new_client_order_id)
    errors: dict[str, str] = field(default_factory=dict)

    main_types = MAIN_TYPES
    more_types = MORE_TYPES
    tif_choices = TIF_CHOICES
    good_till_choices = GOOD_TILL_CHOICES
    trigger_choices = TRIGGER_CHOICES
    shares = SHARES

    def fresh(self) -> "Ticket":
        """Return the ticket for the next order: the same choices, a new id, no size."""
        return Ticket(
            leverage=self.leverage,
            margin_mode=self.margin_mode,
            side=self.side,
            type=self.type,
            price=self.price,
            trigger_by=self.trigger_by,
            size_unit=self.size_unit,
            time_in_force=self.time_in_force,
            good_till=self.good_till,
            reduce_only=self.reduce_only,
            post_only=self.post_only,
        )

    def blame(self, refusal_field: str, message: str) -> None:
        """Put an error beside the field that it is about."""
        name = "time_in_force" if refusal_field == "good_till_ms" else refusal_field
        self.errors[name if name in ERROR_PLACES else "form"] = message


def ticket_from(data: Mapping[str, str], *, leverage: int) -> Ticket:
    """Return the ticket as it was sent; what is missing has its default."""
    ticket = Ticket(leverage=leverage, client_order_id=data.get("client_order_id") or new_client_order_id())
    for name in TEXTS:
        setattr(ticket, name, data.get(name, getattr(ticket, name))[:MAX_TEXT].strip())
    for name in CHECKS:
        setattr(ticket, name, bool(data.get(name)))
    ticket.signed = data.get("signed", "")[:MAX_SIGNED_CHARACTERS]
    return ticket


def place_request(ticket: Ticket, *, market: MarketParameters, mark_ticks: int) -> PlaceRequest:
    """Return the request of a ticket: fields that its order type does not show are not sent. InvalidField as everywhere."""
    priced, triggered = ticket.type in PRICED, ticket.type in TRIGGERED
    values = {
        "market": market.symbol,
        "side": ticket.side,
        "type": ticket.type,
        "size": _base_size(ticket, market=market, mark_ticks=mark_ticks),
        "price": plain(ticket.price) if priced else "",
        "client_order_id": ticket.client_order_id,
        "trigger_price": plain(ticket.trigger_price) if triggered else "",
        "trigger_by": ticket.trigger_by,
        "reduce_only": "true" if ticket.reduce_only else "false",
        "post_only": "reject" if ticket.post_only and ticket.type == "limit" else "none",
        "time_in_force": ticket.time_in_force if priced else "gtc",
        "take_profit": plain(ticket.take_profit) if ticket.tpsl and not triggered else "",
        "stop_loss": plain(ticket.stop_loss) if ticket.tpsl and not triggered else "",
        "signed": ticket.signed,
    }
    if values["time_in_force"] == "gtd":
        values["good_till_ms"] = str(time.time_ns() // 1_000_000 + GOOD_TILL_MS.get(ticket.good_till, 0))
    return convert(values, PlaceRequest)


def plain(text: str) -> str:
    """Return a typed number without grouping and with its suffix multiplied out: 1.5k is 1500. Anything else stays as it is."""
    text = text.replace(",", "").replace(" ", "").lower()
    multiplier, value = MULTIPLIERS.get(text[-1:]), _value(text[:-1])
    return f"{value * multiplier:f}" if multiplier and value is not None else text


def _base_size(ticket: Ticket, *, market: MarketParameters, mark_ticks: int) -> str:
    """Return the size in the base asset; one in USDC is worth it at the order's price, rounded down to a lot."""
    lots = _signed_lots(ticket.signed) if ticket.signed else None
    if lots is not None:  # what was signed counts: a size in USDC may have been worth another number of lots then
        return f"{units.decimal_from_units(lots, market.lot_e8):f}"
    size = plain(ticket.size)
    if not size:
        raise InvalidField("FIELD_REQUIRED", "Enter a size.", field="size")
    if ticket.size_unit != "quote":
        return size
    quote, price = _value(size), _price(ticket, market=market, mark_ticks=mark_ticks)
    if not quote or not price:
        return size
    lot = units.decimal_from_units(1, market.lot_e8)
    base = (quote / price / lot).to_integral_value(ROUND_DOWN) * lot
    if not base:
        raise InvalidField("OFF_LOT", f"Size is below one lot, {lot:f} {market.base_asset}: {lot * price:.2f} USDC.", field="size")
    return f"{base.quantize(lot):f}"


def _signed_lots(signed: str) -> int | None:
    """Return the size of a signed order; None for what is no such thing, which is refused where it is read as one."""
    try:
        return decode(take_apart(b64decode(signed, validate=True)).data).size_lots
    except (ValueError, OrderMalformed):
        return None


def _price(ticket: Ticket, *, market: MarketParameters, mark_ticks: int) -> Decimal:
    typed = ticket.price if ticket.type in PRICED else ticket.trigger_price if ticket.type in TRIGGERED else ""
    return _value(plain(typed)) or units.decimal_from_units(mark_ticks, market.tick_e8)


def _value(text: str) -> Decimal | None:
    """Return a plain decimal's value; None for anything that the request's own checks have to name."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None
