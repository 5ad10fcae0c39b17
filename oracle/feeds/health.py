"""How a provider is doing, as its feed sees it: for the people who look at the oracle."""

import time
from typing import Literal, TypedDict

from oracle.feeds.feed import FeedError

SILENT_MS = 1_500


class Refused(TypedDict):
    """A price that the feed did not pass on."""

    asset: str
    reason: str
    at_ms: int


class HealthRecord(TypedDict):
    feed: str
    status: Literal["starting", "ok", "waiting", "failing"]
    code: str  # of the last failure while failing; FEED_SILENT while an answer is overdue
    reason: str
    answered_ms: int  # when it last gave prices, 0 for never
    refused: list[Refused]


class Health:
    """`asked`, then `answered` or `failed`; `refuse` and `accept` for each price by itself."""

    def __init__(self, feed: str) -> None:
        self._feed = feed
        self._code = ""
        self._reason = ""
        self._asked_ms = 0
        self._answered_ms = 0
        self._refused: dict[str, Refused] = {}

    def asked(self) -> None:
        self._asked_ms = now_ms()

    def answered(self) -> None:
        self._answered_ms = now_ms()
        self._asked_ms = 0
        self._code = self._reason = ""

    def failed(self, error: FeedError) -> None:
        self._asked_ms = 0
        self._code = error.code
        self._reason = ", ".join((str(error), *(f"{name} {value}" for name, value in error.data.items())))[:200]

    def refuse(self, asset: str, error: FeedError) -> None:
        self._refused[asset] = Refused(asset=asset, reason=str(error.data.get("reason", "malformed")), at_ms=now_ms())

    def accept(self, asset: str) -> None:
        self._refused.pop(asset, None)

    def record(self) -> HealthRecord:
        silent = self._asked_ms > 0 and now_ms() - self._asked_ms > SILENT_MS
        code, reason = self._code, self._reason
        status: Literal["starting", "ok", "waiting", "failing"] = "ok" if self._answered_ms else "starting"
        if code:
            status = "failing"
        elif silent:
            status, code, reason = "waiting", "FEED_SILENT", "The price provider has not answered yet."
        return HealthRecord(
            feed=self._feed, status=status, code=code, reason=reason, answered_ms=self._answered_ms, refused=list(self._refused.values())
        )


def now_ms() -> int:
    return time.time_ns() // 1_000_000
