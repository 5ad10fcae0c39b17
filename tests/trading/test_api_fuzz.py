"""Malformed requests at every route that takes some: always a 4xx with a code, never a 5xx, and the field where there is one."""

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any

import msgspec
import pytest

from tests.support.api import Answer, Desk, desk
from tests.support.engine import engine_process, engine_processes

__all__ = ["desk", "engine_process", "engine_processes"]

Tenth = Callable[[Iterable[Any]], list[Any]]

ORDER: dict[str, Any] = {"market": "BTC-PERP", "side": "buy", "type": "limit", "size": "0.0100", "price": "59000.0"}
AMEND: dict[str, Any] = {"price": "58000.0", "size": "0.0100", "trigger_price": "", "valid_until_ms": 0}
BATCH: dict[str, Any] = {"items": [{"op": "place", **ORDER}]}
GOOD: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "orders/"): ORDER,
    ("POST", "orders/preview/"): ORDER,
    ("POST", "orders/batch/"): BATCH,
    ("PATCH", "orders/1/"): AMEND,
    ("PUT", "leverage/"): {"market": "BTC-PERP", "leverage": 5},
    ("PUT", "dead-mans-switch/"): {"timeout_ms": 0},
    ("PUT", "margin-mode/"): {"market": "BTC-PERP", "mode": "cross"},
    ("POST", "isolated-margin/"): {"market": "BTC-PERP", "amount": "1"},
    ("POST", "accounts/"): {"name": "second"},
    ("POST", "accounts/transfer/"): {"to_account_id": 1, "amount": "1", "asset": "USDC"},
    ("POST", "api-keys/"): {"label": "bot", "can_trade": True, "account_id": None},
}
NOT_JSON = [
    b"", b"{", b"}", b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"\x00", b"NaN", b"'single'", b'{"market":"\xc3\x28"}', b"{}" * 9,
    b'{"market": Infinity}', b'\xef\xbb\xbf{"market":"BTC-PERP"}', b'{"market":"\\ud800"}', b"--", b"<xml/>", b"a=b&c=d",
]  # fmt: skip
WRONG_SHAPES: list[Any] = [
    [],
    None,
    7,
    "text",
    True,
    1.5,
    [[[]]],
    {"": 1},
    {"\x00": 1},
    {"__proto__": {}},
    {"a" * 5_000: 1},
    {"ключ": "значение"},
]
WRONG_VALUES = [
    None, 7, -7, 1.5, 10**30, -(10**30), [], {}, [1], {"a": 1}, "NaN", "Infinity", "-1", "0", "1e5", "1E-9", "9" * 60, "9" * 6_000, "\x00",
    "1\x00", "٣", "💥", "a" * 5_000, "' OR 1=1 --", "../../etc/passwd", "0.000000000000000001", " ", "\n", "null", "1,0", "0x1F", "\u202e1",
]  # fmt: skip
WRONG_PATHS = [
    "orders/x/", "orders/0/", "orders/-1/", "orders/1.5/", f"orders/{'9' * 40}/", "orders/%00/", "orders/%F0%9F%92%A5/", "orders/٣/",
    "orders/by-client-id/%00/", "orders/by-client-id/a%20b/", f"orders/by-client-id/{'x' * 300}/", "orders/by-client-id/../../x/",
    "markets/%00/", "markets/NOPE/", "markets/NOPE/book/", "markets/NOPE/trades/", "markets/NOPE/candles/", "markets/NOPE/funding/",
    "markets/' OR 1=1/", "tickers/%ff/", "tickers/NOPE/", "nothing/", "orders", "%00", "orders//", "api-keys/%00/",
    "oracle/%00/", "oracle/NOPE/", "oracle/%ff/", "oracle/NOPE/history/", f"oracle/{'x' * 3_000}/",
]  # fmt: skip
MAY_PASS = {"name", "label", "client_order_id", "valid_until_ms", "account_id", "timeout_ms", "leverage", "trigger_price"}
QUERIES = ["cursor", "limit", "account_id", "market", "status", "order_id", "depth", "interval", "kind", "from", "to", "unknown"]
WRONG_QUERY_VALUES = ["%00", "-1", "9" * 40, "NaN", "%ff", ""]
READS = [
    "orders/", "orders/?status=open", "fills/", "transfers/", "funding/", "account/", "markets/", "tickers/", "markets/BTC-PERP/",
    "markets/BTC-PERP/book/", "markets/BTC-PERP/trades/", "markets/BTC-PERP/candles/", "markets/BTC-PERP/funding/", "api-keys/",
    "markets/overview/", "markets/BTC-PERP/open-interest/", "margin/explain/", "oracle/", "oracle/BTC-PERP/", "oracle/BTC-PERP/history/",
    "accounts/", "assets/",
]  # fmt: skip


def check(answer: Answer, what: object, wrong: list[str], *, must_refuse: bool = True) -> None:
    """Note an answer that is no refusal in the API's shape."""
    if not must_refuse and answer.status < 300:
        return
    try:
        error = msgspec.convert(answer.json["error"], dict[str, Any])
        shaped = bool(error["code"].isupper() and error["message"] and isinstance(error["data"], dict))
    except (msgspec.MsgspecError, KeyError, TypeError):
        shaped = False
    if not 400 <= answer.status < 500 or not shaped:
        wrong.append(f"{what!r:.160}: {answer}")


@pytest.fixture
def unlimited(settings: Any) -> None:
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, (1_000_000, 1_000_000))


def malformed_bodies() -> Iterator[tuple[str, str, bytes, str]]:
    """Return method, path, body and the field that is wrong, if it is one alone."""
    for (method, path), good in GOOD.items():
        for raw in NOT_JSON:
            yield method, path, raw, ""
        for shape in WRONG_SHAPES:
            yield method, path, msgspec.json.encode(shape), ""
        for field in good:
            for value in WRONG_VALUES:
                yield method, path, msgspec.json.encode(good | {field: value}), field


@pytest.mark.usefixtures("unlimited")
def test_it_refuses_every_malformed_body_by_name(desk: Desk, tenth: Tenth) -> None:
    wrong: list[str] = []
    for method, path, body, field in tenth(malformed_bodies()):
        answer = desk.alice.send(method, path, body)
        check(answer, (method, path, body[:100]), wrong, must_refuse=field not in MAY_PASS)
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:40])


@pytest.mark.usefixtures("unlimited")
def test_it_names_the_field_in_each_place_that_takes_an_order(desk: Desk) -> None:
    spoilt: list[tuple[str, Any]] = [("size", "1e5"), ("price", "NaN"), ("price", "-1"), ("size", "0"), ("market", 7), ("bogus", 1)]
    for field, value in spoilt:
        for path, body, place in (
            ("orders/", ORDER | {field: value}, field),
            ("orders/preview/", ORDER | {field: value}, field),
            ("orders/batch/", {"items": [{"op": "place", **ORDER, field: value}]}, f"items[0].{field}"),
        ):
            error = desk.alice.post(path, body).error
            assert error["data"]["field"] == place, (path, error)


@pytest.mark.usefixtures("unlimited")
def test_it_refuses_every_malformed_address_and_query(desk: Desk, tenth: Tenth) -> None:
    desk.project()
    wrong: list[str] = []
    for path, method in product(WRONG_PATHS, ("GET", "DELETE", "PATCH", "POST", "PUT")):
        check(desk.alice.send(method, path, {}), (method, path), wrong)
    for path, name, value in tenth(product(READS, QUERIES, WRONG_QUERY_VALUES)):
        address = f"{path}{'&' if '?' in path else '?'}{name}={value}"
        check(desk.alice.get(address), address, wrong, must_refuse=False)
    for path in READS:
        check(desk.alice.get(f"{path}{'&' if '?' in path else '?'}unknown=1"), path, wrong)
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:40])


@pytest.mark.usefixtures("unlimited")
def test_it_refuses_what_is_no_json_by_its_type_and_size(desk: Desk) -> None:
    response = desk.alice.client.post("/api/v1/orders/", data={"market": "BTC-PERP"})
    assert (response.status_code, response.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    for size in (70_000, 3_000_000):
        large = desk.alice.post("orders/", ORDER | {"client_order_id": "x" * size})
        assert (large.status, large.error["code"]) == (413, "BODY_TOO_LARGE")


@pytest.mark.usefixtures("unlimited")
def test_it_names_wrong_methods_and_headers(desk: Desk) -> None:
    for method, path in (("PUT", "orders/"), ("POST", "account/"), ("DELETE", "markets/"), ("OPTIONS", "orders/"), ("TRACE", "time/")):
        answer = desk.alice.send(method, path)
        assert (answer.status, answer.error["code"]) == (405, "METHOD_NOT_ALLOWED"), (method, path)
    assert desk.alice.get("time/", Accept="text/html;q=nope, */x").status == 200
    for key in ("a b", "x" * 37, "nul%00", "é"):
        answer = desk.alice.post("orders/", ORDER, Idempotency_Key=key)
        assert (answer.status, answer.error["data"]["field"]) == (400, "Idempotency-Key"), key
    for name, value in (("X-QD-KEY", "\x7f"), ("X-QD-KEY", "x" * 9_000), ("X-QD-TIMESTAMP", "NaN"), ("X-QD-SIGN", "\u00e9")):
        bot = desk.program_of(desk.bob)
        signed = bot.headers("GET", "/api/v1/account/", b"") | {name: value}
        assert desk.anonymous.send("GET", "account/", **{key.replace("-", "_"): text for key, text in signed.items()}).status == 401, name
