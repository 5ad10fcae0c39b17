"""The programs beside exchange and oracle: limits that `risk` tells, the insurance fund, auctions, governance with its treasury."""

from collections.abc import Sequence
from typing import Any

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.instructions import get_associated_token_address

from chain.setup.instructions import limits_address
from chain.setup.sender import Task
from chain.setup.site import Site
from chain.setup.terms import fund_parameters, limit_parameters, vote_parameters
from markets.views import MarketView

LIMITS_A_TASK = 4
DRIFT = 4  # a limit in money follows the price once it is off by a quarter
SUPPLY_AT = 36  # in a mint's account


def governance(site: Site) -> list[Task]:
    """Governance, whose votes are a token's; nothing is handed over to it here."""
    program, record = site.deployment.governance, site.deployment.record
    if not record.stake_mint or site.is_there(program.governance):
        return []
    mint, guardian = Pubkey.from_string(record.stake_mint), Pubkey.from_string(record.guardian)
    parameters = vote_parameters(site.terms, supply_atoms=_supply_atoms(site, mint))
    made = site.make.initialise_governance(parameters, stake_mint=mint, guardian=guardian)
    return [site.first("governance", "governance", made, "Governance", "token account")]


def _supply_atoms(site: Site, mint: Pubkey) -> int:
    account = site.client.account(mint, commitment="confirmed")
    return int.from_bytes(bytes(account.data)[SUPPLY_AT : SUPPLY_AT + 8], "little") if account else 0


def funds(site: Site) -> list[Task]:
    """The insurance fund, the terms of auctions, and governance's treasury for USDC."""
    chain, tasks = site.deployment, []
    if not site.is_there(chain.liquidation.pda(b"fund")):
        made = site.make.initialise_fund(fund_parameters(site.terms, site.markets))
        tasks.append(site.first("liquidation", "insurance fund", made, "Fund", "token account"))
    if not site.is_there(chain.jit.pda(b"terms")):
        tasks.append(site.first("jit", "auctions", site.make.initialise_auctions(site.terms.auctions), "Terms"))
    treasury = chain.governance.program.pda(b"treasury", bytes(chain.usdc_mint))
    if chain.record.stake_mint and not site.is_there(treasury):
        tasks.append(site.task("treasury", [site.make.create_treasury(chain.usdc_mint)], "Treasury", "token account"))
    return tasks


def limits(site: Site, views: Sequence[MarketView]) -> list[Task]:
    """Limits of markets that are there: those that are missing, or not the engine's any more."""
    if site.governed:
        return []
    priced = [view for view in views if view.index_e8 > 0]
    accounts = site.client.accounts([limits_address(site.deployment, view.parameters.market_id) for view in priced], commitment="confirmed")
    old = [(view, account) for view, account in zip(priced, accounts, strict=True) if _differs(site, view, account)]
    groups = [old[start : start + LIMITS_A_TASK] for start in range(0, len(old), LIMITS_A_TASK)]
    return [
        site.task(
            "limits",
            [site.make.set_market_limits(view.parameters, price_e8=view.index_e8) for view, _ in some],
            *["PositionLimits" for _, account in some if account is None],
        )
        for some in groups
    ]


def _differs(site: Site, view: MarketView, account: Any) -> bool:
    """Whether the limits, or those that wait, are others than the engine's; money is compared roughly, as it follows the price."""
    if account is None:
        return True
    told = site.deployment.risk.account("PositionLimits", account)
    present = told.next_limits if told.next_at else told.limits
    wanted = limit_parameters(view.parameters, price_e8=view.index_e8)
    exact = all(getattr(present, name) == wanted[name] for name in ("max_position_lots", "concentration_ppm"))
    return (
        not exact or abs(present.concentration_from_atoms - wanted["concentration_from_atoms"]) * DRIFT > wanted["concentration_from_atoms"]
    )


def has_staked(site: Site) -> bool:
    return site.is_there(site.deployment.liquidation.pda(b"stake", bytes(site.authority.pubkey())))


def first_stake(site: Site, *, amount_atoms: int, before: Sequence[Instruction] = (), keys: tuple[Keypair, ...] = ()) -> list[Task]:
    """The exchange's own stake in the insurance fund, out of the authority's USDC; `before`: what brings it there."""
    if not amount_atoms or has_staked(site):
        return []
    source = get_associated_token_address(site.authority.pubkey(), site.deployment.usdc_mint)
    staked = site.make.stake_in_fund(source=source, amount_atoms=amount_atoms)
    return [site.task("first stake", [*before, staked], "Stake", keys=keys)]
