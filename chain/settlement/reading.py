"""What the program says of accounts and batches, decoded."""

from collections.abc import Sequence
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from chain import merkle
from chain.client import ChainClient, Commitment
from chain.deployment import Deployment
from chain.prices import market_address


def phase_of(exchange: Any) -> str:
    """Return the exchange's phase by its name."""
    return type(exchange.phase).__name__


def batch_address(deployment: Deployment, seq: int) -> Pubkey:
    return deployment.dex.program.pda(b"batch", seq.to_bytes(8, "little"))


def read_batch(deployment: Deployment, client: ChainClient, seq: int, *, commitment: Commitment, min_slot: int = 0) -> Any | None:
    """Return the batch as it is on chain, None when it was not opened."""
    account = client.account(batch_address(deployment, seq), commitment=commitment, min_slot=min_slot)
    return None if account is None else deployment.dex.program.account("Batch", account)


def read_users(
    deployment: Deployment, client: ChainClient, keys: Sequence[Pubkey], *, commitment: Commitment, min_slot: int = 0
) -> list[Any | None]:
    found = client.accounts(list(keys), commitment=commitment, min_slot=min_slot)
    return [None if account is None else deployment.dex.program.account("User", account) for account in found]


def read_markets(
    deployment: Deployment, client: ChainClient, market_ids: Sequence[int], *, commitment: Commitment, min_slot: int = 0
) -> dict[int, Any]:
    """Return the markets that exist on chain."""
    found = client.accounts([market_address(deployment, one) for one in market_ids], commitment=commitment, min_slot=min_slot)
    return {
        market_id: deployment.dex.program.account("Market", account)
        for market_id, account in zip(market_ids, found, strict=True)
        if account is not None
    }


def outlook(user: Any) -> merkle.Sums:
    """Return what an account will have when everything that is pending is final."""
    changes = holdings(user.holdings)
    for pending in user.pending:
        changes += holdings(pending.changes) if pending.epoch else []
    return merkle.canonical(changes)


def final_balances(user: Any, final_epoch: int) -> merkle.Sums:
    """Return what an account has finally, whether it was touched since or not."""
    changes = holdings(user.holdings)
    for pending in user.pending:
        changes += holdings(pending.changes) if 0 < pending.epoch <= final_epoch else []
    return merkle.canonical(changes)


def holdings(held: Any) -> list[tuple[int, int]]:
    return [*enumerate(held.balances), *((merkle.position_slot(one.market_id), one.lots) for one in held.positions if one.lots)]


def stored_sums(slots: Sequence[Any]) -> merkle.Sums:
    return tuple((one.slot, one.amount) for one in slots)


def discriminated(deployment: Deployment, client: ChainClient, kind: str, *, commitment: Commitment) -> list[tuple[Pubkey, Any]]:
    """Return every account of perp_dex of one kind."""
    program = deployment.dex.program
    found: list[tuple[Pubkey, Account]] = client.owned(program.id, program.discriminator(kind), commitment=commitment)
    return [(key, program.account(kind, account)) for key, account in found]
