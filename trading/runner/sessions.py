"""Sessions whose orders die with the link that holds them.

What is held is also in a table, so that a new leader knows it: links of the old one are lost with it, and a session that
no link takes up again within GRACE_SECONDS is over.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any

import psycopg

from markets.commands import CancelAll
from trading.runner.server import Link

GRACE_SECONDS = 5.0
Session = tuple[int, int]  # account_id, session_id

HELD = "select account_id, session_id from trading_heldsession"
HOLD = "insert into trading_heldsession (account_id, session_id) values (%s, %s) on conflict do nothing"
END = "delete from trading_heldsession where account_id = %s and session_id = %s"


class Sessions:
    """Which link holds which session."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection
        self._links: dict[Session, Link] = {}
        self._orphans: set[Session] = set()

    async def load(self) -> None:
        """Read what the last leader's links held."""
        cursor = await self._connection.execute(HELD)
        self._orphans = {(account_id, session_id) for account_id, session_id in await cursor.fetchall()}

    def hold(self, link: Link, session: Session) -> Awaitable[object]:
        """Bind the session to the link, at once; the awaitable records it."""
        self._links[session] = link
        self._orphans.discard(session)
        return self._connection.execute(HOLD, session)

    def release(self, session: Session) -> Awaitable[object]:
        """Free the session of its link, at once; the awaitable records it."""
        self._links.pop(session, None)
        return self._connection.execute(END, session)

    async def ended(self, session: Session) -> None:
        """Forget a session whose orders were cancelled, unless a link has taken it up since."""
        if session not in self._links:
            await self._connection.execute(END, session)

    def lost(self, link: Link) -> list[CancelAll]:
        """Return the commands that end the sessions that a lost link held."""
        held = [session for session, holder in self._links.items() if holder is link]
        for session in held:
            del self._links[session]
        return [_end(session) for session in held]

    async def orphans(self) -> list[CancelAll]:
        """Wait for links to take up the last leader's sessions; return the commands that end the others."""
        await asyncio.sleep(GRACE_SECONDS)
        orphans, self._orphans = self._orphans, set()
        return [_end(session) for session in sorted(orphans)]


def _end(session: Session) -> CancelAll:
    account_id, session_id = session
    return CancelAll(account_id=account_id, session_id=session_id)
