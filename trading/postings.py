"""The ledger transfers that an event implies: of a match, here or on chain, and of a market's hourly funding."""

from markets.events import ChainTradeBooked, FundingPaid, LedgerKind, OrderFilled
from markets.ledger import CLEARING, DUST, FEES, FUNDING

ASSET = "USDC"

Posting = tuple[int, int, int, LedgerKind]  # debited account, credited account, positive amount in atoms of ASSET, kind


def match_postings(event: OrderFilled) -> list[Posting]:
    """Return up to four transfers, the taker's first; what is zero is not posted."""
    found: list[Posting] = []
    _post_side(found, event.taker_account_id, event.taker_pnl_atoms, event.taker_fee_atoms)
    _post_side(found, event.maker_account_id, event.maker_pnl_atoms, event.maker_fee_atoms)
    return found


def chain_postings(event: ChainTradeBooked) -> list[Posting]:
    """Return what each side realised, the buyer's first."""
    found: list[Posting] = []
    _post_side(found, event.buyer_account_id, event.buyer_pnl_atoms, 0)
    _post_side(found, event.seller_account_id, event.seller_pnl_atoms, 0)
    return found


def funding_postings(event: FundingPaid) -> list[Posting]:
    """Return one transfer an account, and the remainder of rounding; together they leave the funding account at zero."""
    found = [_moved(FUNDING, account_id, amount_atoms, "funding") for account_id, amount_atoms in event.payments]
    if event.dust_atoms:
        found.append(_moved(FUNDING, DUST, event.dust_atoms, "dust"))
    return found


def _post_side(found: list[Posting], account_id: int, pnl_atoms: int, fee_atoms: int) -> None:
    if pnl_atoms > 0:
        found.append((CLEARING, account_id, pnl_atoms, "trade_pnl"))
    elif pnl_atoms < 0:
        found.append((account_id, CLEARING, -pnl_atoms, "trade_pnl"))
    if fee_atoms > 0:
        found.append((account_id, FEES, fee_atoms, "fee"))
    elif fee_atoms < 0:
        found.append((FEES, account_id, -fee_atoms, "rebate"))


def _moved(source: int, target: int, amount_atoms: int, kind: LedgerKind) -> Posting:
    """Return the transfer to `target`, the other way round when the amount is negative."""
    return (source, target, amount_atoms, kind) if amount_atoms > 0 else (target, source, -amount_atoms, kind)
