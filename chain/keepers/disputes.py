"""Disputes that are decided, or that nobody decided in time: the insurance fund pays what is due, and the record goes."""

from collections.abc import Mapping
from typing import Any

from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import create_idempotent_associated_token_account, get_associated_token_address

from chain.keepers.actions import Action
from chain.keepers.keeper import Keeper
from chain.keepers.recoveries import payable_atoms
from chain.keepers.sight import Sight

JOB = "liquidation"


def look(keeper: Keeper, sight: Sight, fund: Any) -> list[Action]:
    return due(keeper, dict(sight.all("liquidation", "Dispute")), fund, now_s=sight.now_s)


def due(keeper: Keeper, disputes: Mapping[Pubkey, Any], fund: Any, *, now_s: int) -> list[Action]:
    return [_close(keeper, key, one, fund) for key, one in disputes.items() if _is_due(one, fund, now_s)]


def _is_due(dispute: Any, fund: Any, now_s: int) -> bool:
    """A bond goes back at once; an award waits for what the day and the fund allow."""
    over = type(dispute.verdict).__name__ != "Open" or now_s > dispute.decide_by
    return over and bool(dispute.bond_atoms or not dispute.debt.owed_atoms or payable_atoms(fund, now_s))


def _close(keeper: Keeper, key: Pubkey, dispute: Any, fund: Any) -> Action:
    programs = keeper.programs
    named = {
        "fund": programs.fund,
        "vault": programs.fund_vault,
        "owner": dispute.owner,
        "destination": get_associated_token_address(dispute.owner, fund.mint),
        "dispute": key,
        "token_program": TOKEN_PROGRAM_ID,
    }
    opened = create_idempotent_associated_token_account(keeper.key, dispute.owner, fund.mint)
    closed = programs.liquidation.instruction("close_dispute", {}, named)
    return Action(job=JOB, title=f"dispute {key} paid", instructions=[opened, closed], by_another=frozenset({"OutsideBounds"}))
