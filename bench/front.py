"""The front doors: one order at a time over HTTP and over the socket, against an application that only echoes; and DRF."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from itertools import cycle

import uvloop

from bench.load import Connection, Counter, HttpConnection, SocketConnection, drive, frame, http_request
from bench.rounds import Ratio, interleave
from bench.stack import Stack, open_accounts

ROUNDS = 5
TRADERS = 32
HTTP_CONNECTIONS = 128  # one order in flight on each
SOCKETS = 32
WINDOW = 16  # orders in flight on each socket
COUNT = 20_000
DRF_COUNT = 1_500
MONEY_ATOMS = 10**15
FAST = "/api/v1/fast/orders"


def order(price: str) -> dict[str, str]:
    return {"market": "BTC-PERP", "side": "buy", "type": "limit", "size": "0.01", "price": price, "time_in_force": "ioc"}


class Trader:
    """An account with an API key; its orders are far from the market, so that each is accepted and ends at once."""

    def __init__(self, name: str) -> None:
        from accounts.services import api_key_create

        [account] = open_accounts(1, username=name, balance_atoms=MONEY_ATOMS)
        key, self.secret = api_key_create(account=account, label="bench", can_trade=True)
        self.key_id = key.key_id
        self.body = json.dumps(order("59000.0")).encode()

    def signature(self, method: str, path: str, body: bytes, timestamp: int) -> str:
        text = f"{timestamp}\n60000\n{method}\n{path}\n{hashlib.sha256(body).hexdigest()}"
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    def post(self, path: str) -> bytes:
        """Return a signed request that may be sent again for a minute."""
        timestamp = time.time_ns() // 1_000_000
        headers = {
            "X-QD-KEY": self.key_id,
            "X-QD-TIMESTAMP": str(timestamp),
            "X-QD-RECV-WINDOW": "60000",
            "X-QD-SIGN": self.signature("POST", path, self.body, timestamp),
        }
        return http_request("POST", path, self.body, headers)

    def hello(self) -> bytes:
        timestamp = time.time_ns() // 1_000_000
        sign = self.signature("GET", "/ws/v1/", b"", timestamp)
        return json.dumps({"op": "auth", "id": 0, "key": self.key_id, "timestamp": timestamp, "recv_window": 60000, "sign": sign}).encode()

    def place(self) -> bytes:
        return frame(json.dumps({"op": "place", "id": 1, "order": order("59000.0")}).encode())


def fast_lane(port: int, traders: list[Trader], path: str, count: int) -> Callable[[], float]:
    def measure() -> float:
        requests = cycle([trader.post(path) for trader in traders])

        def connect(counter: Counter) -> Connection:
            request = next(requests)
            return HttpConnection(lambda: request, counter, 1)

        return uvloop.run(drive(connect, host="127.0.0.1", port=port, connections=HTTP_CONNECTIONS, count=count))

    return measure


def over_socket(port: int, path: str, frames: Callable[[], tuple[bytes, bytes]], count: int) -> Callable[[], float]:
    """`frames` gives a connection its greeting and its request."""

    def measure() -> float:
        def connect(counter: Counter) -> Connection:
            hello, request = frames()
            return SocketConnection(lambda: request, counter, WINDOW, f"http://127.0.0.1:{port}{path}", hello, answered)

        return uvloop.run(drive(connect, host="127.0.0.1", port=port, connections=SOCKETS, count=count))

    return measure


def answered(message: bytes) -> bool:
    if b'"ok":false' in message:
        raise RuntimeError(f"an order was refused: {message.decode()}")
    return True


def front_doors(stack: Stack) -> list[Ratio]:
    traders = [Trader(f"front-{number}") for number in range(TRADERS)]
    ours, echo = stack.serve(), stack.serve("bench.echo:application")
    turn = cycle(traders)

    def greeted() -> tuple[bytes, bytes]:
        trader = next(turn)
        return trader.hello(), trader.place()

    def plain() -> tuple[bytes, bytes]:
        return b"{}", traders[0].place()

    stack.observe()
    http = interleave(
        {"ours": fast_lane(ours, traders, FAST, COUNT), "echo": fast_lane(echo, traders, FAST, 3 * COUNT)},
        rounds=ROUNDS,
        title="HTTP, one order a request",
    )
    stack.observe()
    socket = interleave(
        {"ours": over_socket(ours, "/ws/v1/", greeted, COUNT), "echo": over_socket(echo, "/", plain, 4 * COUNT)},
        rounds=ROUNDS,
        title="socket, one order a message",
    )
    stack.observe()
    drf = interleave(
        {"ours": fast_lane(ours, traders, "/api/v1/orders/", DRF_COUNT), "echo": fast_lane(echo, traders, FAST, COUNT)},
        rounds=3,
        title="DRF, one order a request",
    )
    return [
        Ratio("durable orders over HTTP, fast lane / bare ASGI echo", http["ours"], http["echo"], floor=0.2),
        Ratio("durable orders over the socket / bare ASGI echo", socket["ours"], socket["echo"], floor=0.2),
        Ratio("durable orders over DRF / bare ASGI echo", drf["ours"], drf["echo"]),
    ]
