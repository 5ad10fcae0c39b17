"""The shards that this exchange settles, by name. The clients of programs register theirs here when they are made."""

from collections.abc import Callable

from chain.outbox.route import PartedRoute, Route

_routes: dict[str, Callable[[], Route | PartedRoute]] = {}


def register(shard: str, make: Callable[[], Route | PartedRoute]) -> None:
    assert shard not in _routes, "a shard has one route"
    _routes[shard] = make


def route_of(shard: str) -> Route | PartedRoute:
    return _routes[shard]()


def shards() -> list[str]:
    return sorted(_routes)
