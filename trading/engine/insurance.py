"""Who pays a debt that no position covers: the insurance fund as far as it goes, and last of all the exchange."""

from markets.events import InsurancePaid
from markets.ledger import INSURANCE
from trading.engine.ledger import post, transfer
from trading.engine.state import MarginPool, State


def pay(state: State, pool: MarginPool, owed_atoms: int, liquidation_id: int) -> int:
    """Pay what a pool owes from the insurance fund, which never goes below zero; return what was paid."""
    fund = state.accounts[INSURANCE].cross
    paid = min(owed_atoms, max(0, fund.cash_atoms))
    if paid:
        give(state, fund, pool, owed_atoms, paid, liquidation_id)
    return paid


def pay_from_fees(state: State, pool: MarginPool, owed_atoms: int, liquidation_id: int) -> None:
    """Let the exchange pay a debt that neither the fund nor deleveraging could cover: no debt is left without an owner."""
    give(state, state.fees, pool, owed_atoms, owed_atoms, liquidation_id)


def give(state: State, payer: MarginPool, pool: MarginPool, owed_atoms: int, paid_atoms: int, liquidation_id: int) -> None:
    line = transfer(payer, pool, paid_atoms, "insurance")
    state.events.append(
        InsurancePaid(
            liquidation_id=liquidation_id,
            account_id=pool.account.account_id,
            market_id=pool.market_id,
            payer_account_id=payer.account.account_id,
            owed_atoms=owed_atoms,
            paid_atoms=paid_atoms,
            balance_atoms=payer.cash_atoms,
        )
    )
    post(state, [line], f"liquidation {liquidation_id}" if liquidation_id else "settlement")
