"""Reads of liquidations, the funds behind them and deleveraging, for the API and the pages."""

from django.db.models import Sum

from accounts.models import Balance
from markets.errors import DomainError
from markets.gateway import gateway
from markets.ledger import BACKSTOP, INSURANCE
from markets.queries import GetDeleveraging
from markets.views import DeleveragingPlace
from risk.models import FundMovement, Liquidation
from trading.selectors import wait_for_projection

FUNDS = {"insurance": INSURANCE, "backstop": BACKSTOP}
MAX_ID_DIGITS = 18


class LiquidationNotFound(DomainError):
    code = "LIQUIDATION_NOT_FOUND"
    status = 404
    message = "There is no such liquidation."


def liquidation_of(account_id: int, liquidation_id: int) -> Liquidation:
    """Return one of an account's liquidations, once the tables show what its engine has committed."""
    wait_for_projection(account_id)
    found = Liquidation.objects.filter(id=liquidation_id, account_id=account_id).first()
    if found is None:
        raise LiquidationNotFound
    return found


def parse_liquidation_id(text: str) -> int:
    if len(text) > MAX_ID_DIGITS or not text.isascii() or not text.isdigit():
        raise LiquidationNotFound
    return int(text)


def fund_balance(fund: str, asset: str = "USDC") -> int:
    row = Balance.objects.filter(account_id=FUNDS[fund], asset=asset).first()
    return row.amount_atoms if row else 0


def balances_after(rows: list[FundMovement]) -> list[int]:
    """Return what the fund had of each movement's asset right after it; rows are of one fund, newest first."""
    if not rows:
        return []
    newest = rows[0]
    before: dict[str, int] = {}
    found = []
    for row in rows:
        if row.asset not in before:
            later = FundMovement.objects.filter(fund_id=row.fund_id, asset=row.asset, id__gt=newest.id)
            fund = Balance.objects.filter(account_id=row.fund_id, asset=row.asset).first()
            before[row.asset] = (fund.amount_atoms if fund else 0) - (later.aggregate(sum=Sum("amount_atoms"))["sum"] or 0)
        found.append(before[row.asset])
        before[row.asset] -= row.amount_atoms
    return found


def deleveraging_places(account_id: int) -> list[DeleveragingPlace]:
    places: list[DeleveragingPlace] = gateway().query(GetDeleveraging(account_id=account_id))
    return places
