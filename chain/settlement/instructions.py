"""The instructions of batches and challenges, and how many of them fit into a transaction."""

from collections.abc import Sequence
from typing import Any

from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature

from chain.building import MAX_BYTES, budget
from chain.deployment import Deployment
from chain.prices import market_address
from chain.settlement.reading import batch_address
from chain.settlement.trees import AccountTree

SYSTEM = Pubkey.default()
SIGNATURE_COUNT_BYTES = 1


def open_batch(deployment: Deployment, header: dict[str, Any]) -> Instruction:
    accounts = {
        "settler": deployment.keys.settler.pubkey(),
        "exchange": deployment.dex.exchange,
        "batch": batch_address(deployment, header["seq"]),
        "system_program": SYSTEM,
    }
    return deployment.dex.program.instruction("open_batch", {"header": header}, accounts)


def post_changes(deployment: Deployment, seq: int, trees: Sequence[AccountTree]) -> Instruction:
    more = [AccountMeta(tree.user, is_signer=False, is_writable=True) for tree in trees]
    changes = [tree.change for tree in trees]
    return deployment.dex.program.instruction("post_changes", {"changes": changes}, _of_batch(deployment, seq), more)


def close_batch(deployment: Deployment, seq: int, *, root: bytes, funding: dict[int, dict[str, int]]) -> Instruction:
    """`funding` has an entry for each market whose prices the batch takes."""
    more = [AccountMeta(market_address(deployment, market_id), is_signer=False, is_writable=True) for market_id in funding]
    arguments = {"root": list(root), "funding": list(funding.values())}
    return deployment.dex.program.instruction("close_batch", arguments, _of_batch(deployment, seq), more)


def _of_batch(deployment: Deployment, seq: int) -> dict[str, Pubkey]:
    return {
        "settler": deployment.keys.settler.pubkey(),
        "exchange": deployment.dex.exchange,
        "batch": batch_address(deployment, seq),
    }


def create_user(deployment: Deployment, *, payer: Pubkey, owner: Pubkey, sub_account: int) -> Instruction:
    accounts = {
        "payer": payer,
        "exchange": deployment.dex.exchange,
        "user": deployment.dex.user(owner, sub_account),
        "system_program": SYSTEM,
    }
    return deployment.dex.program.instruction("create_user", {"owner": owner, "sub_account": sub_account}, accounts)


def fits(payer: Pubkey, instructions: Sequence[Instruction]) -> bool:
    """Tell whether these fit into one transaction, with the two instructions about its budget."""
    message = MessageV0.try_compile(payer, [*budget(units=1, price=1), *instructions], [], Hash.default())
    signatures = message.header.num_required_signatures * Signature.LENGTH
    return len(bytes(message)) + 1 + SIGNATURE_COUNT_BYTES + signatures <= MAX_BYTES
