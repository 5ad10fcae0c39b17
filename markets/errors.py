"""Expected failures outside the engine. One handler renders them all as {"error": {"code", "message", "data"}}.

DomainError
├── GatewayError        the engine could not be asked
│   ├── EngineBusy          its queue is full; nothing was done, try again
│   ├── EngineUnavailable   no connection; nothing was sent
│   └── OutcomeUnknown      sent, but no reply came: ask again with the same id
├── Refused             the engine answered with a Reject
└── ...                 each app's own, in the module that raises them
"""

from typing import Any

from markets.rejects import Reject


class DomainError(Exception):
    """`code` is stable, `status` the HTTP status, `data` named facts that help to correct the request."""

    code = "INVALID_REQUEST"
    status = 400
    message = "The request could not be carried out."

    def __init__(self, message: str = "", **data: Any) -> None:
        self.message = message or self.message
        self.data = data
        super().__init__(self.message)


class GatewayError(DomainError):
    status = 503


class EngineBusy(GatewayError):
    code = "ENGINE_BUSY"
    message = "The engine's queue is full. Nothing was done; try again."


class EngineUnavailable(GatewayError):
    code = "ENGINE_UNAVAILABLE"
    message = "The engine cannot be reached. Nothing was sent; try again."


class OutcomeUnknown(GatewayError):
    code = "UNKNOWN"
    status = 504
    message = "No reply came in time. The command may have been carried out; send it again with the same id to find out."


class Refused(DomainError):
    """The engine's refusal, as an exception for callers that treat it as one."""

    status = 422

    def __init__(self, reject: Reject, message: str = "", **data: Any) -> None:
        super().__init__(message or reject.code, **(reject.data | data))
        self.code = reject.code
        if reject.transient:
            self.status = 503
