"""Order entry's bodies: every malformed one is refused by name, and every accepted number is exact."""

import string
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets.errors import DomainError
from markets.fields import InvalidField, InvalidJson, convert, decode
from markets.parameters import MarketParameters
from trading import requests
from trading.numbers import MAX_PRICE_TICKS, atoms, price_ticks, size_lots
from trading.requests import AmendRequest, BatchRequest, CancelRequest, PlaceRequest

BTC = MarketParameters(
    market_id=1, symbol="BTC-PERP", base_asset="BTC", tick_e8=10_000_000, lot_e8=100_000, tiers=(), max_order_lots=5_000_000
)
COARSE = msgspec.structs.replace(BTC, tick_e8=50_000_000, lot_e8=500_000_000)
GOOD: dict[str, Any] = {"market": "BTC-PERP", "side": "buy", "type": "limit", "size": "0.010", "price": "64000.1"}

REFUSED_PRICES = [
    ("64000.15", "TOO_MANY_DECIMALS", "64000.2"),
    ("0.00000000000000001", "TOO_MANY_DECIMALS", "0.1"),
    ("1e3", "NUMBER_HAS_EXPONENT", "1000"),
    ("1E-3", "NUMBER_HAS_EXPONENT", "0.1"),
    ("1e999999999", "NUMBER_HAS_EXPONENT", "100000000000.0"),
    ("1e99999999999999999999999", "NUMBER_MALFORMED", None),
    ("NaN", "NUMBER_NOT_FINITE", None),
    ("-inf", "NUMBER_NOT_FINITE", None),
    ("Infinity", "NUMBER_NOT_FINITE", None),
    ("-64000.1", "NUMBER_SIGNED", "64000.1"),
    ("+64000.1", "NUMBER_SIGNED", "64000.1"),
    ("-0", "NUMBER_SIGNED", "0.1"),
    ("0", "NUMBER_ZERO", "0.1"),
    ("0.000", "NUMBER_ZERO", "0.1"),
    ("100000000000.1", "NUMBER_TOO_LARGE", "100000000000.0"),
    ("9" * 100, "NUMBER_TOO_LARGE", "100000000000.0"),
    ("9" * 10_000, "NUMBER_MALFORMED", None),
    ("64,000", "NUMBER_MALFORMED", None),
    ("64000.", "NUMBER_MALFORMED", "64000"),
    (".5", "NUMBER_MALFORMED", "0.5"),
    (" 1", "NUMBER_MALFORMED", None),
    ("1_000", "NUMBER_MALFORMED", None),
    ("0x10", "NUMBER_MALFORMED", None),
    ("٣", "NUMBER_MALFORMED", None),
    ("²", "NUMBER_MALFORMED", None),
    ("1\x00", "NUMBER_MALFORMED", None),
    ("$5", "NUMBER_MALFORMED", None),
]


@pytest.mark.parametrize(("text", "code", "nearest"), REFUSED_PRICES)
def test_it_refuses_a_malformed_price_by_name_with_the_nearest_valid_one(text: str, code: str, nearest: str | None) -> None:
    with pytest.raises(InvalidField) as refused:
        price_ticks(text, field="price", market=BTC)
    assert (refused.value.code, refused.value.data["field"], refused.value.data["nearest"]) == (code, "price", nearest)
    assert text.startswith(refused.value.data["value"].rstrip("…"))
    if nearest is not None:
        assert price_ticks(nearest, field="price", market=BTC) > 0


@pytest.mark.parametrize(
    ("text", "code", "nearest"),
    [("100.3", "OFF_TICK", "100.5"), ("100.7", "OFF_TICK", "100.5"), ("100.75", "TOO_MANY_DECIMALS", "101.0"), ("0.1", "OFF_TICK", "0.5")],
)
def test_it_names_a_price_between_two_ticks(text: str, code: str, nearest: str) -> None:
    with pytest.raises(InvalidField) as refused:
        price_ticks(text, field="price", market=COARSE)
    assert (refused.value.code, refused.value.data["nearest"]) == (code, nearest)


@pytest.mark.parametrize(("text", "code", "nearest"), [("7", "OFF_LOT", "5"), ("8", "OFF_LOT", "10"), ("5.5", "TOO_MANY_DECIMALS", "5")])
def test_it_names_a_size_between_two_lots(text: str, code: str, nearest: str) -> None:
    with pytest.raises(InvalidField) as refused:
        size_lots(text, field="size", market=COARSE)
    assert (refused.value.code, refused.value.data["nearest"]) == (code, nearest)


def test_it_refuses_a_size_above_the_markets_largest_order() -> None:
    assert size_lots("5000", field="size", market=BTC) == 5_000_000
    with pytest.raises(InvalidField) as refused:
        size_lots("5000.001", field="size", market=BTC)
    assert (refused.value.code, refused.value.data["nearest"]) == ("NUMBER_TOO_LARGE", "5000.000")


def test_it_accepts_leading_and_trailing_zeros() -> None:
    assert price_ticks("00064000.1000000000000", field="price", market=BTC) == 640_001


def test_it_reads_amounts_of_an_asset_in_atoms() -> None:
    assert atoms("12.345678", field="amount", decimals=6, largest_atoms=10**15) == 12_345_678
    with pytest.raises(InvalidField) as refused:
        atoms("0.0000004", field="amount", decimals=6, largest_atoms=10**15)
    assert (refused.value.code, refused.value.data["nearest"]) == ("TOO_MANY_DECIMALS", "0.000001")


@given(st.integers(1, MAX_PRICE_TICKS))
def test_it_reads_every_price_that_it_writes(ticks: int) -> None:
    text = format(Decimal(ticks).scaleb(-1), "f")
    assert price_ticks(text, field="price", market=BTC) == ticks


@given(st.text(st.sampled_from(string.digits + ".+-eE_ naNifINF٣²\x00"), max_size=40))
def test_it_either_reads_a_number_exactly_or_refuses_it_with_a_valid_alternative(text: str) -> None:
    try:
        ticks = price_ticks(text, field="price", market=BTC)
    except InvalidField as refused:
        nearest = refused.data["nearest"]
        assert nearest is None or price_ticks(nearest, field="price", market=BTC) > 0
    else:
        assert Decimal(text) == Decimal(ticks) / 10


def test_it_converts_an_order_to_integers() -> None:
    body = GOOD | {"type": "stop_limit", "trigger_price": "65000", "stop_loss": "63000.5", "client_order_id": "a-1", "link_id": 7}
    command = requests.place_command(decode(msgspec.json.encode(body), PlaceRequest), account_id=1000, market=BTC, session_id=9)
    assert (command.size_lots, command.price_ticks, command.trigger_ticks, command.stop_loss_ticks) == (10, 640_001, 650_000, 630_005)
    assert (command.account_id, command.market_id, command.session_id, command.link_id) == (1000, 1, 9, 7)


REFUSED_ORDERS = [
    ({"size": ""}, "FIELD_REQUIRED", "size"),
    ({"price": ""}, "FIELD_REQUIRED", "price"),
    ({"close_position": True}, "INVALID_COMBINATION", "size"),
    ({"type": "stop_market", "price": ""}, "FIELD_REQUIRED", "trigger_price"),
    ({"trigger_price": "5"}, "INVALID_COMBINATION", "trigger_price"),
    ({"time_in_force": "gtd"}, "FIELD_REQUIRED", "good_till_ms"),
    ({"good_till_ms": 5}, "INVALID_COMBINATION", "good_till_ms"),
    ({"client_order_id": "x" * 37}, "INVALID_ID", "client_order_id"),
    ({"client_order_id": "nul\x00"}, "INVALID_ID", "client_order_id"),
    ({"client_order_id": "ключ"}, "INVALID_ID", "client_order_id"),
    ({"take_profit": "NaN"}, "NUMBER_NOT_FINITE", "take_profit"),
    ({"stop_loss": "1.23"}, "TOO_MANY_DECIMALS", "stop_loss"),
    ({"side": "up"}, "INVALID_CHOICE", "side"),
    ({"side": "unknown field `x`"}, "INVALID_CHOICE", "side"),
    ({"type": 5}, "WRONG_TYPE", "type"),
    ({"price": 64000.1}, "WRONG_TYPE", "price"),
    ({"price": None}, "WRONG_TYPE", "price"),
    ({"reduce_only": "true"}, "WRONG_TYPE", "reduce_only"),
    ({"link_id": -1}, "OUT_OF_RANGE", "link_id"),
    ({"link_id": 2**53}, "OUT_OF_RANGE", "link_id"),
    ({"link_id": 10**30}, "OUT_OF_RANGE", "link_id"),
    ({"link_id": 1.5}, "WRONG_TYPE", "link_id"),
    ({"sise": "1"}, "UNKNOWN_FIELD", "sise"),
    ({"account_id": 1001}, "UNKNOWN_FIELD", "account_id"),
    ({"multi\nline": "1"}, "UNKNOWN_FIELD", "multi\nline"),
]


@pytest.mark.parametrize(("change", "code", "field"), REFUSED_ORDERS)
def test_it_refuses_an_order_that_is_not_whole(change: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        requests.place_command(decode(msgspec.json.encode(GOOD | change), PlaceRequest), account_id=1, market=BTC)
    assert (refused.value.code, refused.value.data["field"]) == (code, field)


@pytest.mark.parametrize("field", ["market", "side", "type"])
def test_it_names_a_missing_field(field: str) -> None:
    body = {name: value for name, value in GOOD.items() if name != field}
    with pytest.raises(InvalidField) as refused:
        decode(msgspec.json.encode(body), PlaceRequest)
    assert (refused.value.code, refused.value.data["field"]) == ("FIELD_REQUIRED", field)


NO_JSON = [
    b"",
    msgspec.json.encode(GOOD) + b"x",
    b"{",
    b"\xff",
    b'{"market":"\xff"}',
    b'{"market":NaN}',
    b"\xef\xbb\xbf{}",
    b'{"market":"\\ud800"}',
    b'{"market":',
]


@pytest.mark.parametrize("body", NO_JSON)
def test_it_refuses_what_is_not_json(body: bytes) -> None:
    with pytest.raises(InvalidJson):
        decode(body, PlaceRequest)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"1", b"true"])
def test_it_refuses_json_that_is_not_an_object(body: bytes) -> None:
    with pytest.raises(InvalidField, match="body"):
        decode(body, PlaceRequest)


def test_it_survives_nesting_without_end() -> None:
    with pytest.raises(DomainError):
        decode(b'{"items":[{"z":' + b"[" * 200_000, BatchRequest)


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({}, "FIELD_REQUIRED", "order_id"),
        ({"order_id": "5", "client_order_id": "a"}, "INVALID_COMBINATION", "client_order_id"),
        ({"order_id": "0"}, "INVALID_ID", "order_id"),
        ({"order_id": "-5"}, "INVALID_ID", "order_id"),
        ({"order_id": "9" * 19}, "INVALID_ID", "order_id"),
        ({"order_id": "٣"}, "INVALID_ID", "order_id"),
        ({"client_order_id": "a b"}, "INVALID_ID", "client_order_id"),
    ],
)
def test_it_refuses_to_cancel_or_amend_what_is_not_named(change: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(InvalidField) as cancel:
        requests.cancel_command(msgspec.convert(change, CancelRequest), account_id=1)
    with pytest.raises(InvalidField) as amend:
        requests.amend_command(msgspec.convert(change | {"market": "BTC-PERP"}, AmendRequest), account_id=1, market=BTC)
    for refused in (cancel, amend):
        assert (refused.value.code, refused.value.data["field"]) == (code, field)


def test_it_names_the_item_of_a_batch_that_is_wrong() -> None:
    items = [GOOD | {"op": "place"}, {"op": "cancel", "order_id": "5"}, GOOD | {"op": "place", "price": "1.23"}]
    with pytest.raises(InvalidField) as refused:
        requests.batch_command(decode(msgspec.json.encode({"items": items}), BatchRequest), account_id=1, market=lambda _: BTC)
    assert (refused.value.code, refused.value.data["field"]) == ("TOO_MANY_DECIMALS", "items[2].price")


@pytest.mark.parametrize(
    ("items", "code", "field"),
    [
        ([], "OUT_OF_RANGE", "items"),
        ([{"op": "cancel", "order_id": "1"}] * 21, "OUT_OF_RANGE", "items"),
        ([{"op": "explode"}], "INVALID_CHOICE", "items[0].op"),
        ([{"order_id": "1"}], "FIELD_REQUIRED", "items[0].op"),
        ([{"op": "cancel", "id": "1"}], "UNKNOWN_FIELD", "items[0].id"),
        ([7], "WRONG_TYPE", "items[0]"),
    ],
)
def test_it_refuses_a_malformed_batch(items: list[Any], code: str, field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        decode(msgspec.json.encode({"items": items}), BatchRequest)
    assert (refused.value.code, refused.value.data["field"]) == (code, field)


class Page(msgspec.Struct, forbid_unknown_fields=True):
    limit: int = 100


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [({"limit": "x"}, "WRONG_TYPE", "limit"), ({"limit": "9" * 5000}, "OUT_OF_RANGE", "limit"), ({"limti": "5"}, "UNKNOWN_FIELD", "limti")],
)
def test_it_names_what_is_wrong_in_a_query_string(query: dict[str, str], code: str, field: str) -> None:
    assert convert({"limit": "5"}, Page).limit == 5
    with pytest.raises(InvalidField) as refused:
        convert(query, Page)
    assert (refused.value.code, refused.value.data["field"]) == (code, field)
