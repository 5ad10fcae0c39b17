"""What validators call a transaction's errors: as JSON, and in words."""

import json
import re
from typing import Any

from solders.transaction_status import (
    TransactionErrorDuplicateInstruction,
    TransactionErrorInstructionError,
    TransactionErrorInsufficientFundsForRent,
    TransactionErrorProgramExecutionTemporarilyRestricted,
)

TAGGED = {
    TransactionErrorInstructionError: "InstructionError",
    TransactionErrorDuplicateInstruction: "DuplicateInstruction",
    TransactionErrorInsufficientFundsForRent: "InsufficientFundsForRent",
    TransactionErrorProgramExecutionTemporarilyRestricted: "ProgramExecutionTemporarilyRestricted",
}
SENTENCES = {
    "AccountNotFound": "Attempt to debit an account but found no record of a prior credit.",
    "AlreadyProcessed": "This transaction has already been processed",
    "BlockhashNotFound": "Blockhash not found",
    "InsufficientFundsForFee": "Insufficient funds for fee",
    "ProgramAccountNotFound": "Attempt to load a program that does not exist",
    "SignatureFailure": "Transaction did not pass signature verification",
    "TooManyAccountLocks": "Transaction locked too many accounts",
}


def error_json(error: Any) -> Any:
    """Return litesvm's error as validators write it: "AccountNotFound" or {"InstructionError": [0, {"Custom": 1}]}."""
    name = TAGGED.get(type(error))
    if name is None:
        return str(error).rpartition(".")[2]
    return {name: json.loads(error.to_json())}


def error_text(error: Any) -> str:
    if isinstance(error, str):
        return SENTENCES.get(error, _spaced(error))
    name, detail = next(iter(error.items()))
    if name != "InstructionError":
        return f"{_spaced(name)}: {detail}"
    index, kind = detail
    if isinstance(kind, dict) and "Custom" in kind:
        return f"Error processing Instruction {index}: custom program error: {kind['Custom']:#x}"
    return f"Error processing Instruction {index}: {_spaced(kind if isinstance(kind, str) else next(iter(kind)))}"


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()
