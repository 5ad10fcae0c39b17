"""Sends what links say to where it belongs."""

from collections.abc import Awaitable, Sequence

from markets import wire
from markets.commands import RulesUpgrade
from trading.runner.background import Background
from trading.runner.feed import Feed
from trading.runner.leader import Leader
from trading.runner.server import Link
from trading.runner.sessions import Sessions

ASKING = frozenset({wire.Ask, wire.Watch, wire.Unwatch})


class Door:
    def __init__(self, *, leader: Leader, feed: Feed, sessions: Sessions, background: Background) -> None:
        self._leader = leader
        self._feed = feed
        self._sessions = sessions
        self._background = background

    def received(self, link: Link, messages: Sequence[wire.ClientMessage | wire.Malformed]) -> None:
        """Take a frame's messages, in order."""
        receive = self._leader.receive
        for message in messages:
            kind = type(message)
            if (kind is wire.Submit and type(message.command) is not RulesUpgrade) or kind in ASKING:  # type: ignore[union-attr]
                receive(link, message)  # type: ignore[arg-type]
            else:
                self._rare(link, message)

    def _rare(self, link: Link, message: wire.ClientMessage | wire.Malformed) -> None:
        if isinstance(message, wire.Hold | wire.Release):
            self._hold(link, message)
        elif isinstance(message, wire.Ping):
            link.send(wire.frames_of([wire.Done(message.id)]))
        elif isinstance(message, wire.Malformed):
            link.send(wire.frames_of([message]))
        elif isinstance(message, wire.Submit):
            link.send(wire.frames_of([wire.Malformed(message.id, "only the runner itself upgrades the rules")]))
        else:
            link.close()

    def lost(self, link: Link) -> None:
        """Forget a link; end the sessions that it held."""
        self._feed.forget(link)
        for command in self._sessions.lost(link):
            self._leader.command(command)

    def _hold(self, link: Link, message: wire.Hold | wire.Release) -> None:
        session = (message.account_id, message.session_id)
        recorded = self._sessions.hold(link, session) if isinstance(message, wire.Hold) else self._sessions.release(session)
        self._background.start(_confirm(link, message.id, recorded))


async def _confirm(link: Link, request_id: int, recorded: Awaitable[object]) -> None:
    await recorded
    link.send(wire.frames_of([wire.Done(request_id)]))
