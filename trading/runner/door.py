"""Sends what links say to where it belongs."""

from markets import wire
from markets.commands import RulesUpgrade
from trading.runner.background import Background
from trading.runner.feed import Feed
from trading.runner.leader import Leader
from trading.runner.server import Link
from trading.runner.sessions import Sessions


class Door:
    def __init__(self, *, leader: Leader, feed: Feed, sessions: Sessions, background: Background) -> None:
        self._leader = leader
        self._feed = feed
        self._sessions = sessions
        self._background = background

    def received(self, link: Link, message: wire.ClientMessage) -> None:
        if isinstance(message, wire.Hold | wire.Release):
            self._background.start(self._hold(link, message))
        elif isinstance(message, wire.Ping):
            link.send(wire.frame_of([wire.Done(message.id)]))
        elif isinstance(message, wire.Hello):
            link.close()
        elif isinstance(message, wire.Submit) and isinstance(message.command, RulesUpgrade):
            link.send(wire.frame_of([wire.Malformed(message.id, "only the runner itself upgrades the rules")]))
        else:
            self._leader.receive(link, message)

    def lost(self, link: Link) -> None:
        """Forget a link; end the sessions that it held."""
        self._feed.forget(link)
        for command in self._sessions.lost(link):
            self._leader.command(command)

    async def _hold(self, link: Link, message: wire.Hold | wire.Release) -> None:
        session = (message.account_id, message.session_id)
        if isinstance(message, wire.Hold):
            await self._sessions.hold(link, session)
        else:
            await self._sessions.release(session)
        link.send(wire.frame_of([wire.Done(message.id)]))
