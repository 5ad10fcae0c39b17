"""The ledger transfers of a match, derived from its event alone: realised profit and loss, and fees, of either side."""

from collections.abc import Iterator

from markets.events import LedgerTransfer, OrderFilled
from markets.ledger import CLEARING, FEES

ASSET = "USDC"


def fill_transfers(event: OrderFilled) -> Iterator[LedgerTransfer]:
    """Yield up to four transfers, the taker's first; what is zero is not posted."""
    yield from _side(account_id=event.taker_account_id, pnl_atoms=event.taker_pnl_atoms, fee_atoms=event.taker_fee_atoms)
    yield from _side(account_id=event.maker_account_id, pnl_atoms=event.maker_pnl_atoms, fee_atoms=event.maker_fee_atoms)


def _side(*, account_id: int, pnl_atoms: int, fee_atoms: int) -> Iterator[LedgerTransfer]:
    if pnl_atoms > 0:
        yield LedgerTransfer(CLEARING, account_id, ASSET, pnl_atoms, "trade_pnl")
    elif pnl_atoms < 0:
        yield LedgerTransfer(account_id, CLEARING, ASSET, -pnl_atoms, "trade_pnl")
    if fee_atoms > 0:
        yield LedgerTransfer(account_id, FEES, ASSET, fee_atoms, "fee")
    elif fee_atoms < 0:
        yield LedgerTransfer(FEES, account_id, ASSET, -fee_atoms, "rebate")
