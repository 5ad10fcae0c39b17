"""Expected failures of the chain. Each is a DomainError, rendered like any other.

ChainError
├── ChainUnavailable   no answer, or a node that cannot answer now; whether a transaction was passed on is not known
├── ChainRefused       the node answered with an error; `rpc_code` is its number
├── SimulationFailed   the transaction would fail; `deterministic` when trying again cannot help
└── TransactionTooLarge
"""

from typing import Any

from markets.errors import DomainError


class ChainError(DomainError):
    code = "CHAIN_ERROR"
    status = 503
    message = "The chain could not be used."


class ChainUnavailable(ChainError):
    code = "CHAIN_UNAVAILABLE"
    message = "The chain cannot be reached. Try again."


class ChainRefused(ChainError):
    code = "CHAIN_REFUSED"
    status = 502

    def __init__(self, message: str, *, rpc_code: int) -> None:
        super().__init__(message, rpc_code=rpc_code)
        self.rpc_code = rpc_code


class SimulationFailed(ChainError):
    code = "CHAIN_SIMULATION_FAILED"
    status = 422

    def __init__(self, error: str, *, logs: list[str], deterministic: bool) -> None:
        super().__init__(f"The transaction would fail: {error}", error=error, logs=logs)
        self.error = error
        self.logs = logs
        self.deterministic = deterministic


class TransactionTooLarge(ChainError):
    code = "CHAIN_TRANSACTION_TOO_LARGE"
    status = 422

    def __init__(self, size_bytes: int) -> None:
        super().__init__("The transaction does not fit into 1,232 bytes.", size_bytes=size_bytes)


def reason(error: Any) -> str:
    """Return a transaction's error in the words of solders, on one line."""
    return " ".join(str(error).split())
