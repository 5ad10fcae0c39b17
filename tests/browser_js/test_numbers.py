"""Numbers on the page are exact and read the same everywhere."""

from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

CALL = """async ([module, name, values]) => {
    const exports = await import(`/static/app/${module}.js`);
    const read = (value) => typeof value === "string" && /^-?\\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value;
    const result = exports[name](...values.map(read));
    return typeof result === "bigint" ? `${result}n` : result;
}"""


@pytest.fixture
def blank(page: Page) -> Page:
    page.goto("/blank.html")
    return page


def call(page: Page, name: str, *values: Any, module: str = "numbers") -> Any:
    """Call a module's function; "12n" stands for a BigInt on both sides."""
    return page.evaluate(CALL, [module, name, list(values)])


PARSED = [
    ("64203.8", 1, "642038n"),
    ("64,203.8", 1, "642038n"),
    ("1,234,567", 0, "1234567n"),
    (".5", 3, "500n"),
    ("5.", 0, "5n"),
    ("0.10", 1, "1n"),
    ("1.5k", 0, "1500n"),
    ("2M", 2, "200000000n"),
    (" 7 ", 0, "7n"),
    ("99999999999999999999.12345678", 8, "9999999999999999999912345678n"),
    ("0.25", 1, None),
    ("1,5", 1, None),
    ("12,34", 0, None),
    ("-1", 0, None),
    ("1e3", 0, None),
    ("", 0, None),
    (".", 0, None),
    ("k", 0, None),
    ("1.2.3", 2, None),
    ("NaN", 0, None),
    ("1 000", 0, None),
]


def test_it_parses_what_people_type_exactly_or_not_at_all(blank: Page) -> None:
    assert [(text, decimals, call(blank, "parse", text, decimals)) for text, decimals, _ in PARSED] == PARSED


SHOWN = [
    ("format", ("642038n", 1), "64,203.8"),
    ("format", (642038, 1), "64,203.8"),
    ("format", ("-1234567n", 0), "−1,234,567"),
    ("format", (5, 3), "0.005"),
    ("format", ("5n", 0, {"sign": True}), "+5"),
    ("format", ("0n", 2, {"sign": True}), "0.00"),
    ("toWire", ("-1234567n", 6), "-1.234567"),
    ("toWire", ("5n", 0), "5"),
    ("fromWire", ("-0.000100000", 9), "-100000n"),
    ("fromWire", ("12.345678", 2), "1234n"),
    ("money", ("-1120000n", 6), "−$1.12"),
    ("money", ("207399999n", 6, {"sign": True}), "+$207.40"),
    ("money", ("-4n", 6, {"sign": True}), "$0.00"),
    ("money", ("-5000n", 6), "−$0.01"),
    ("money", ("24806120000n", 6), "$24,806.12"),
    ("compact", ("418200000000000n", 6), "418.2M"),
    ("compact", ("999n", 0), "999.00"),
    ("compact", ("999950n", 0), "1.0M"),
    ("compact", ("1500n", 0), "1.5K"),
    ("compact", ("3000000000000n", 0), "3.0T"),
    ("percent", ("23100n", 6), "+2.31%"),
    ("percent", ("-11000n", 9, {"places": 4}), "−0.0011%"),
    ("percent", ("0n", 6), "0.00%"),
    ("rescale", ("15n", 1, 0), "2n"),
    ("rescale", ("-15n", 1, 0), "-2n"),
    ("rescale", ("2n", 0, 3), "2000n"),
]


def test_it_shows_numbers_in_one_way(blank: Page) -> None:
    assert [(name, values, call(blank, name, *values)) for name, values, _ in SHOWN] == SHOWN


READ = """async ([market, part, text]) => {
    const { MarketUnits } = await import("/static/app/units.js");
    const { count, nearest } = new MarketUnits(market)[part].read(text);
    return [count, nearest].map((value) => value === null ? null : Number(value));
}"""
BTC = {"symbol": "BTC-PERP", "base_asset": "BTC", "tick_size": "0.1", "lot_size": "0.001"}
ODD = {"symbol": "ODD-PERP", "base_asset": "ODD", "tick_size": "0.5", "lot_size": "10"}


@pytest.mark.parametrize(
    ("market", "part", "text", "expected"),
    [
        (BTC, "size", "0.85", [850, 850]),
        (BTC, "size", "0.8504", [None, 850]),
        (BTC, "size", "0.8505", [None, 851]),
        (BTC, "price", "64,203.8", [642038, 642038]),
        (BTC, "price", "nothing", [None, None]),
        (ODD, "price", "3.5", [7, 7]),
        (ODD, "price", "3.7", [None, 7]),
        (ODD, "size", "25", [None, 3]),
    ],
)
def test_it_reads_ticks_and_lots_and_names_the_nearest(
    blank: Page, market: dict[str, str], part: str, text: str, expected: list[int | None]
) -> None:
    assert blank.evaluate(READ, [market, part, text]) == expected


def test_it_values_an_order_to_the_atom(blank: Page) -> None:
    script = """async (markets) => {
        const { MarketUnits } = await import("/static/app/units.js");
        const [btc, odd] = markets.map((market) => new MarketUnits(market));
        return [btc.value(642038n, 850n), btc.lotsFor(54_572_230_000n, 642038n), odd.value(7n, 3n), btc.price.format(642038),
                odd.size.format(3), odd.price.toWire(7n)].map(String);
    }"""
    assert blank.evaluate(script, [BTC, ODD]) == ["54573230000", "849", "105000000", "64,203.8", "30", "3.5"]


def test_it_computes_the_checksum_of_zlib(blank: Page) -> None:
    import zlib

    text = "642039:156:642085:835"
    assert call(blank, "crc32", text, module="crc32") == zlib.crc32(text.encode())


def test_it_counts_down_and_tells_local_time_with_utc_beside_it(blank: Page) -> None:
    moment = 1_795_365_719_123
    assert call(blank, "countdown", 1_102_000, module="times") == "18:22"
    assert call(blank, "countdown", 3_723_000, module="times") == "1:02:03"
    assert call(blank, "countdown", -5, module="times") == "00:00"
    assert call(blank, "clock", moment, module="times") == "17:41:59"
    assert call(blank, "dateTime", moment, module="times") == "22 Nov 17:41:59"
    assert call(blank, "utc", moment, module="times") == "2026-11-22 16:41:59.123 UTC"
