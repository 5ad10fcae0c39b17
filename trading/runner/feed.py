"""Who watches which topic, and what they get after each commit."""

import time
from collections.abc import Callable, Mapping, Set

from markets import wire
from markets.gateway import Message
from markets.views import AccountView, BookView
from trading.broadcast.broadcaster import Broadcaster
from trading.runner.batch import Batch
from trading.runner.server import Link


class Feed:
    """Sends the broadcaster's messages to the links that watch their topics: one encoding, the same bytes to all."""

    def __init__(self, broadcaster: Broadcaster) -> None:
        self._broadcaster = broadcaster
        self._watchers: dict[str, set[Link]] = {}
        broadcaster.is_watched = self._watchers.__contains__

    @property
    def watched_accounts(self) -> Set[int]:
        return self._broadcaster.watched_accounts

    def accounts_of(self, topic: str) -> list[int]:
        """Return the account whose view a topic's snapshot needs."""
        channel, _, name = topic.partition(":")
        return [int(name)] if channel == "account" and name.isdecimal() else []

    def committed(self, batch: Batch) -> None:
        assert batch.outcome is not None
        self._broadcaster.committed(seq=batch.seq, stamp_ms=batch.stamp_ms, outcome=batch.outcome, account=_present(batch.views))
        self.send_due()

    def send_due(self) -> None:
        """Send what is due by the clock."""
        for message in self._broadcaster.due(time.time_ns() // 1_000_000):
            self._publish(message)

    def watch(self, link: Link, request: wire.Watch, views: Mapping[int, AccountView | None]) -> wire.Published | wire.Done:
        """Return the topic's snapshot, which the link's deltas follow; Done when there is no such topic."""
        accounts = self.accounts_of(request.topic)
        message = self._broadcaster.snapshot(request.topic, views[accounts[0]] if accounts else None)
        if message is None:
            return wire.Done(request.id)
        self._watchers.setdefault(request.topic, set()).add(link)
        return wire.Published(request.id, message.topic, message.seq, message.payload)

    def unwatch(self, link: Link, topic: str) -> None:
        watchers = self._watchers.get(topic, set())
        watchers.discard(link)
        if not watchers and self._watchers.pop(topic, None) is not None:
            for account_id in self.accounts_of(topic):
                self._broadcaster.forget(account_id)

    def forget(self, link: Link) -> None:
        """Drop all watches of a link that is gone."""
        for topic in [topic for topic, watchers in self._watchers.items() if link in watchers]:
            self.unwatch(link, topic)

    def book(self, market_id: int, depth: int) -> BookView | None:
        return self._broadcaster.book(market_id, depth)

    def _publish(self, message: Message) -> None:
        watchers = self._watchers.get(message.topic)
        if watchers:
            data = wire.frames_of([wire.Published(0, message.topic, message.seq, message.payload)])
            for link in tuple(watchers):
                link.send(data)


def _present(views: Mapping[int, AccountView | None]) -> Callable[[int], AccountView]:
    """Look up the views of accounts that exist."""

    def view(account_id: int) -> AccountView:
        found = views[account_id]
        assert found is not None
        return found

    return view
