"""Cancel-on-disconnect of one socket."""

import asyncio
import secrets

import structlog

from markets.commands import CancelAll
from markets.errors import GatewayError
from markets.gateway import AsyncGateway

log = structlog.get_logger()

RETRY_SECONDS = 0.25


class Session:
    """While it is held, its orders die with the socket, and with the process: then the engine's runner cancels them."""

    def __init__(self, *, gateway: AsyncGateway, account_id: int) -> None:
        self.id = 0  # what orders carry; 0 while nothing is held
        self._gateway = gateway
        self._account_id = account_id

    async def hold(self) -> None:
        if self.id:
            return
        session_id = secrets.randbits(62) | 1
        await self._gateway.hold_session(self._account_id, session_id)
        self.id = session_id

    async def release(self) -> None:
        """Let the orders outlive the socket."""
        if self.id:
            session_id, self.id = self.id, 0
            await self._gateway.release_session(self._account_id, session_id)

    async def end(self) -> None:
        """Cancel the session's orders; the socket is gone. An engine that is away is asked again until it is back."""
        if not self.id:
            return
        while True:
            try:
                await self._gateway.submit(CancelAll(account_id=self._account_id, session_id=self.id))
                await self.release()
                return
            except GatewayError as error:
                log.info("session_not_cancelled_yet", account_id=self._account_id, code=error.code)
                await asyncio.sleep(RETRY_SECONDS)
