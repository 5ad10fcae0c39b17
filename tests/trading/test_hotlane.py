"""The hot lane answers as REST does, only without Django on the way."""

from typing import Any

import httpx
import msgspec
import pytest

from tests.support.engine import EngineProcesses, engine_process, engine_processes
from tests.support.people import Person, alice, register
from tests.support.web import WebProcess, web_process, web_processes
from trading.hotlane.application import hot_lane

__all__ = ["alice", "engine_process", "engine_processes", "web_process", "web_processes"]

Json = dict[str, Any]
ORDERS, BATCH = "/api/v1/fast/orders", "/api/v1/fast/batch"
LIMIT = {"market": "BTC-PERP", "side": "buy", "type": "limit", "price": "58000.0", "size": "0.0100"}


class Program:
    """Sends signed requests."""

    def __init__(self, web: WebProcess, who: Person) -> None:
        self._http = httpx.Client(base_url=web.url, timeout=30)
        self._who = who

    def send(self, method: str, path: str, body: Any, **headers: str) -> httpx.Response:
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        signed = self._who.signed(method, path, data) | {"Content-Type": "application/json"} | headers
        return self._http.request(method, path, content=data, headers=signed)

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def program(web_process: WebProcess, alice: Person) -> Any:
    program = Program(web_process, alice)
    yield program
    program.close()


@pytest.fixture
def reader(engine_process: EngineProcesses) -> Person:
    return register("dora", can_trade=False)


def code(response: httpx.Response) -> str:
    answer: str = response.json()["error"]["code"]
    return answer


def test_it_answers_exactly_as_rest_does(program: Program) -> None:
    fast = program.send("POST", ORDERS, LIMIT | {"client_order_id": "twice"})
    slow = program.send("POST", "/api/v1/orders/", LIMIT | {"client_order_id": "twice"})
    assert (fast.status_code, slow.status_code) == (201, 201)
    assert fast.json() == slow.json()
    assert fast.headers["x-ratelimit-limit"] == slow.headers["x-ratelimit-limit"]
    wrong = [{"price": "1e5"}, {"price": "58000.05"}, {"price": "99000.0"}, {"market": "XXX"}]
    for body in (b"{", {}, *(LIMIT | change for change in wrong)):
        fast, slow = program.send("POST", ORDERS, body), program.send("POST", "/api/v1/orders/", body)
        assert (fast.status_code, fast.json()) == (slow.status_code, slow.json()), body
    items = [{"op": "place", **LIMIT, "client_order_id": "third"}, {"op": "cancel", "order_id": "999"}]
    fast, slow = program.send("POST", BATCH, {"items": items}), program.send("POST", "/api/v1/orders/batch/", {"items": items})
    assert (fast.status_code, fast.json()) == (slow.status_code, slow.json())
    cancelled = program.send("DELETE", ORDERS, {"client_order_id": "twice"})
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")


def test_it_refuses_by_name_what_is_not_signed_or_not_allowed(program: Program, web_process: WebProcess, reader: Person) -> None:
    tampered = program.send("POST", ORDERS, LIMIT, **{"X-QD-SIGN": "00" * 32})
    assert (tampered.status_code, code(tampered)) == (401, "AUTHENTICATION_FAILED")
    assert tampered.headers["www-authenticate"]
    unsigned = httpx.post(web_process.url + ORDERS, content=b"{}", timeout=30)
    assert (unsigned.status_code, code(unsigned)) == (401, "INVALID_HEADER")
    reads = Program(web_process, reader)
    forbidden = reads.send("POST", ORDERS, LIMIT)
    reads.close()
    assert (forbidden.status_code, code(forbidden)) == (403, "SCOPE_REQUIRED")
    wrong_method = program.send("PUT", ORDERS, LIMIT)
    assert (wrong_method.status_code, code(wrong_method)) == (405, "METHOD_NOT_ALLOWED")
    nowhere = program.send("POST", "/api/v1/fast/nothing", LIMIT)
    assert (nowhere.status_code, code(nowhere)) == (404, "NOT_FOUND")
    too_long = program.send("POST", ORDERS, b" " * 70_000)
    assert (too_long.status_code, code(too_long)) == (413, "BODY_TOO_LARGE")


def test_it_says_so_when_the_engine_is_away_and_serves_again_when_it_is_back(program: Program, engine_process: EngineProcesses) -> None:
    assert program.send("POST", ORDERS, LIMIT).status_code == 201
    engine_process.kill()
    away = program.send("POST", ORDERS, LIMIT | {"client_order_id": "away"})
    assert away.status_code in {503, 504}
    assert code(away) in {"ENGINE_UNAVAILABLE", "UNKNOWN"}
    engine_process.start()
    back = program.send("POST", ORDERS, LIMIT | {"client_order_id": "away"})
    assert (back.status_code, back.json()["client_order_id"]) == (201, "away")


async def test_it_answers_nobody_who_has_left() -> None:
    sent: list[Json] = []

    async def send(message: Json) -> None:
        sent.append(message)

    async def leaves() -> Json:
        return {"type": "http.disconnect"}

    scope: Json = {"type": "http", "method": "POST", "path": ORDERS, "query_string": b"", "headers": [], "client": None}
    await hot_lane(scope, leaves, send)
    assert sent == []
