"""What stops settlement: staff must look, nothing is guessed."""

from chain.errors import ChainError


class SettlementHalted(ChainError):
    code = "SETTLEMENT_HALTED"
    status = 503
    message = "Settlement on chain has stopped."
