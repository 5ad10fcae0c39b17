"""What the localnet answers when it cannot, with the codes that validators give.

RpcError        a JSON-RPC error; the client sees its code, message and data
JournalDamaged  the file of blocks is not what was written; the localnet does not start
JournalInUse    another localnet writes it
NoAddress       a program in the folder that nothing tells the address of
"""

from typing import Any

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
PREFLIGHT_FAILURE = -32002
SIGNATURE_VERIFICATION_FAILURE = -32003
NODE_UNHEALTHY = -32005
SLOT_SKIPPED = -32007
UNSUPPORTED_VERSION = -32015
MIN_CONTEXT_SLOT_NOT_REACHED = -32016


class RpcError(Exception):
    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def to_json(self) -> dict[str, Any]:
        error = {"code": self.code, "message": self.message}
        return error if self.data is None else error | {"data": self.data}


class JournalDamaged(Exception):
    """The file is not repaired: what it says cannot be trusted."""


class JournalInUse(Exception):
    """Two writers would tear it apart."""


class NoAddress(Exception):
    """Where a program is to be loaded is not known."""


def invalid_params(message: str) -> RpcError:
    return RpcError(INVALID_PARAMS, f"Invalid params: {message}")
