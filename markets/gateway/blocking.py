"""The gateway for threads that may wait: one link a thread, one request at a time."""

import itertools
import os
import select
import threading
from typing import Any, overload

from markets import queries, wire
from markets.assets import RiskParameters
from markets.commands import AnyCommand
from markets.errors import EngineBusy, EngineUnavailable, OutcomeUnknown
from markets.gateway import answers
from markets.gateway.address import Address
from markets.views import (
    AccountView,
    BookView,
    CollateralAssetView,
    DeleveragingPlace,
    Exposure,
    IndexView,
    MarginExplanation,
    MarginPreview,
    MarketView,
    OrderView,
    Preview,
    Reply,
    StateView,
)

RECEIVE_BYTES = 256 * 1024


class Link:
    """A thread's socket to the engine. `process_id` tells a forked child that it must not share it."""

    def __init__(self, *, address: Address, token: str, timeout_seconds: float) -> None:
        self.process_id = os.getpid()
        self._ids = itertools.count(1)
        self._frames = wire.Frames()
        self._socket = address.connect(timeout_seconds=timeout_seconds)
        self._socket.sendall(wire.frames_of([wire.Hello(wire.VERSION, token)]))

    def usable(self) -> bool:
        """Tell whether the link is this process's own and was not closed by the engine while it was idle."""
        return self.process_id == os.getpid() and not select.select([self._socket], [], [], 0)[0]

    def ask(self, request_type: type[wire.Submit] | type[wire.Ask], body: Any, *, timeout_seconds: float) -> wire.ServerMessage:
        """Send one request and wait for its answer; TimeoutError and OSError leave the outcome open."""
        request_id = next(self._ids)
        data = wire.frames_of([request_type(request_id, body)])
        self._socket.settimeout(timeout_seconds)
        self._socket.sendall(data)
        return self._receive(request_id)

    def _receive(self, request_id: int) -> wire.ServerMessage:
        while data := self._socket.recv(RECEIVE_BYTES):
            for body in self._frames.feed(data):
                for message in wire.server_decoder.decode(body):
                    if getattr(message, "id", 0) == request_id:
                        return message
        raise ConnectionResetError("the engine closed the link")

    def close(self) -> None:
        self._socket.close()


class Gateway:
    """Submit commands to the engine and ask it, from any thread.

    A refusal by the engine comes back in `Reply.reject`. Raised are EngineBusy and EngineUnavailable (nothing was done),
    and OutcomeUnknown (sent, but no reply came: send it again with the same id to find out).
    """

    def __init__(self, *, url: str, token: str = "") -> None:
        self._address = Address.parse(url)
        self._token = token
        self._local = threading.local()

    def submit(self, command: AnyCommand, *, timeout: float = 5.0) -> Reply:
        message = self._exchange(wire.Submit, command, timeout)
        assert isinstance(message, wire.Replied), message
        return message.reply

    @overload
    def query(self, query: queries.GetAccount, *, timeout: float = 5.0) -> AccountView | None: ...
    @overload
    def query(self, query: queries.GetOrder, *, timeout: float = 5.0) -> OrderView | None: ...
    @overload
    def query(self, query: queries.GetMarkets, *, timeout: float = 5.0) -> list[MarketView]: ...
    @overload
    def query(self, query: queries.GetBook, *, timeout: float = 5.0) -> BookView | None: ...
    @overload
    def query(self, query: queries.PreviewOrder, *, timeout: float = 5.0) -> Preview | None: ...
    @overload
    def query(self, query: queries.GetCommittedSeq, *, timeout: float = 5.0) -> int: ...
    @overload
    def query(self, query: queries.GetState, *, timeout: float = 5.0) -> StateView: ...
    @overload
    def query(self, query: queries.ExplainMargin, *, timeout: float = 5.0) -> MarginExplanation | None: ...
    @overload
    def query(self, query: queries.PreviewMargin, *, timeout: float = 5.0) -> MarginPreview | None: ...
    @overload
    def query(self, query: queries.GetExposures, *, timeout: float = 5.0) -> list[Exposure]: ...
    @overload
    def query(self, query: queries.GetIndices, *, timeout: float = 5.0) -> list[IndexView]: ...
    @overload
    def query(self, query: queries.GetAssets, *, timeout: float = 5.0) -> list[CollateralAssetView]: ...
    @overload
    def query(self, query: queries.GetRiskParameters, *, timeout: float = 5.0) -> RiskParameters: ...
    @overload
    def query(self, query: queries.GetDeleveraging, *, timeout: float = 5.0) -> list[DeleveragingPlace]: ...
    def query(self, query: Any, *, timeout: float = 5.0) -> Any:
        message = self._exchange(wire.Ask, query, timeout)
        assert isinstance(message, wire.Answered), message
        return answers.decode(query, message.answer)

    def close(self) -> None:
        """Close the calling thread's link; the next call opens a new one."""
        link = getattr(self._local, "link", None)
        self._local.link = None
        if link is not None:
            link.close()

    def _exchange(self, request_type: type[wire.Submit] | type[wire.Ask], body: Any, timeout: float) -> wire.ServerMessage:
        link = self._link(timeout)
        try:
            message = link.ask(request_type, body, timeout_seconds=timeout)
        except OSError as error:
            self.close()
            raise OutcomeUnknown from error
        except BaseException:
            self.close()  # an answer that nobody waited for must not meet the next request
            raise
        return accepted(message)

    def _link(self, timeout: float) -> Link:
        link: Link | None = getattr(self._local, "link", None)
        if link is not None and link.usable():
            return link
        self.close()
        try:
            self._local.link = Link(address=self._address, token=self._token, timeout_seconds=timeout)
        except OSError as error:
            raise EngineUnavailable from error
        return self._local.link  # type: ignore[no-any-return]


def accepted(message: wire.ServerMessage) -> wire.ServerMessage:
    """Return the message, or raise what it says instead of an answer."""
    if isinstance(message, wire.Busy):
        raise EngineBusy
    if isinstance(message, wire.Malformed):
        raise TypeError(message.message)
    return message
