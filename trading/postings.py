"""The ledger transfers that an event implies: of a match, and of a market's hourly funding."""

from collections.abc import Iterator

from markets.events import FundingPaid, LedgerKind, LedgerTransfer, OrderFilled
from markets.ledger import CLEARING, DUST, FEES, FUNDING

ASSET = "USDC"


def fill_transfers(event: OrderFilled) -> Iterator[LedgerTransfer]:
    """Yield up to four transfers, the taker's first; what is zero is not posted."""
    yield from _side(account_id=event.taker_account_id, pnl_atoms=event.taker_pnl_atoms, fee_atoms=event.taker_fee_atoms)
    yield from _side(account_id=event.maker_account_id, pnl_atoms=event.maker_pnl_atoms, fee_atoms=event.maker_fee_atoms)


def funding_transfers(event: FundingPaid) -> Iterator[LedgerTransfer]:
    """Yield one transfer an account, and the remainder of rounding; together they leave the funding account at zero."""
    for account_id, amount_atoms in event.payments:
        yield _moved(FUNDING, account_id, amount_atoms, "funding")
    if event.dust_atoms:
        yield _moved(FUNDING, DUST, event.dust_atoms, "dust")


def _moved(source: int, target: int, amount_atoms: int, kind: LedgerKind) -> LedgerTransfer:
    """Return the transfer to `target`, the other way round when the amount is negative."""
    if amount_atoms < 0:
        source, target = target, source
    return LedgerTransfer(source, target, ASSET, abs(amount_atoms), kind)


def _side(*, account_id: int, pnl_atoms: int, fee_atoms: int) -> Iterator[LedgerTransfer]:
    if pnl_atoms > 0:
        yield LedgerTransfer(CLEARING, account_id, ASSET, pnl_atoms, "trade_pnl")
    elif pnl_atoms < 0:
        yield LedgerTransfer(account_id, CLEARING, ASSET, -pnl_atoms, "trade_pnl")
    if fee_atoms > 0:
        yield LedgerTransfer(account_id, FEES, ASSET, fee_atoms, "fee")
    elif fee_atoms < 0:
        yield LedgerTransfer(FEES, account_id, ASSET, -fee_atoms, "rebate")
