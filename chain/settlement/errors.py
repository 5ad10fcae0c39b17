"""What stops settlement: staff must look, nothing is guessed."""

from chain.outbox.route import EntryRefused


class SettlementHalted(EntryRefused):
    code = "SETTLEMENT_HALTED"
    status = 503
    message = "Settlement on chain has stopped."
