"""What a person types into the ticket, and the request that comes of it."""

import pytest

from markets.fields import InvalidField
from markets.seed import MARKETS
from trading.forms import Ticket, place_request, plain, ticket_from

BTC = next(market for market in MARKETS if market.symbol == "BTC-PERP")
MARK_TICKS = 600_000


def ticket(**values: str) -> Ticket:
    return ticket_from({"side": "buy", "type": "limit", "price": "60000", "size": "0.1"} | values, leverage=10)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1.5k", "1500.0"),
        ("64,203.9", "64203.9"),
        ("2 000", "2000"),
        ("2m", "2000000"),
        (".5", ".5"),
        ("", ""),
        ("k", "k"),
        ("1e5k", "1e5k"),
        ("-1k", "-1k"),
        ("nan", "nan"),
        ("9" * 30 + "b", "9" * 30 + "b"),
    ],
)
def test_it_reads_numbers_as_people_type_them(typed: str, meant: str) -> None:
    assert plain(typed) == meant


def test_it_sends_only_what_the_order_type_shows() -> None:
    typed = ticket(type="market", trigger_price="1", post_only="1", time_in_force="fok", tpsl="1", take_profit="70000")
    request = place_request(typed, market=BTC, mark_ticks=MARK_TICKS)
    assert (request.price, request.trigger_price, request.post_only, request.time_in_force) == ("", "", "none", "gtc")
    assert request.take_profit == "70000"
    stop = place_request(ticket(type="stop_market", trigger_price="59000", tpsl="1", take_profit="1"), market=BTC, mark_ticks=MARK_TICKS)
    assert (stop.trigger_price, stop.take_profit, stop.price) == ("59000", "", "")


def test_it_leaves_out_exits_that_are_not_ticked() -> None:
    request = place_request(ticket(take_profit="70000", stop_loss="50000"), market=BTC, mark_ticks=MARK_TICKS)
    assert (request.take_profit, request.stop_loss) == ("", "")


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ({"size": "6000", "size_unit": "quote"}, "0.1000"),
        ({"size": "6005.99", "size_unit": "quote"}, "0.1000"),
        ({"size": "6k", "size_unit": "quote", "type": "market"}, "0.1000"),
        ({"size": "6000", "size_unit": "quote", "price": "30000"}, "0.2000"),
        ({"size": "6000", "size_unit": "base"}, "6000"),
    ],
)
def test_it_turns_a_size_in_usdc_into_lots_rounding_down(values: dict[str, str], size: str) -> None:
    assert place_request(ticket(**values), market=BTC, mark_ticks=MARK_TICKS).size == size


def test_it_refuses_a_size_in_usdc_below_one_lot() -> None:
    with pytest.raises(InvalidField, match="below one lot") as refusal:
        place_request(ticket(size="1", size_unit="quote"), market=BTC, mark_ticks=MARK_TICKS)
    assert refusal.value.data["field"] == "size"


@pytest.mark.parametrize("size", ["1e999999", "nan", "-5", "٣", "9" * 40, "0x10", "\x00"])
def test_it_hands_odd_sizes_on_to_the_checks_that_name_them(size: str) -> None:
    assert place_request(ticket(size=size, size_unit="quote"), market=BTC, mark_ticks=MARK_TICKS).size == size.strip()


@pytest.mark.parametrize("field", ["side", "type", "time_in_force", "trigger_by"])
def test_it_refuses_choices_that_do_not_exist(field: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        place_request(ticket(**{field: "sideways"}), market=BTC, mark_ticks=MARK_TICKS)
    assert refusal.value.data["field"] == field


def test_it_keeps_the_choices_and_not_the_order_for_the_next_one() -> None:
    sent = ticket(side="sell", reduce_only="1", tpsl="1", take_profit="50000")
    fresh = sent.fresh()
    assert (fresh.side, fresh.type, fresh.price, fresh.reduce_only) == ("sell", "limit", "60000", True)
    assert (fresh.size, fresh.take_profit, fresh.tpsl) == ("", "", False)
    assert fresh.client_order_id != sent.client_order_id


def test_it_puts_an_error_where_the_field_is() -> None:
    blamed = ticket()
    for field in ("price", "good_till_ms", "reduce_only"):
        blamed.blame(field, field)
    assert blamed.errors == {"price": "price", "time_in_force": "good_till_ms", "form": "reduce_only"}
