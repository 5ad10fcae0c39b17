"""What settlement carries from batch to batch: each account as the batches so far leave it, and signed orders with their fills."""

from functools import cache

from django.db.models import F, QuerySet
from solders.pubkey import Pubkey

from chain.custody.models import ChainAccount
from chain.deployment import Deployment
from chain.errors import ChainUnavailable
from chain.settlement.books import Book, MarketFigures, SignedOrder
from chain.settlement.fold import REPLACED, Fold
from chain.settlement.models import SettledAccount, SettledPosition, SettlementBatch, SignedOrderRecord
from markets.models import Market
from markets.signed_orders import decode, take_apart
from markets.units import tick_lot_atoms


def load(*, deployment: Deployment, after: SettlementBatch | None) -> Fold:
    """Return a fold that goes on where `after` ended."""
    wallets = wallet_addresses()
    end_ms = 0 if after is None else after.end_ms

    @cache
    def address_of(account_id: int) -> bytes:
        return bytes(deployment.account_address(account_id))

    return Fold(
        books=_books(),
        markets=market_figures(),
        self_custodied=wallets,
        orders=_orders(end_ms),
        fills=_fills(end_ms),
        address_of=address_of,
        wallet_of=_wallet_of,
        last_trade_id=0 if after is None else after.last_trade_id,
    )


def wallet_addresses() -> dict[int, bytes]:
    """Return the self-custodied accounts, and where they are on chain."""
    return {account_id: bytes(Pubkey.from_string(address)) for account_id, address in ChainAccount.objects.values_list("pk", "address")}


def _wallet_of(account_id: int) -> bytes:
    address = ChainAccount.objects.filter(pk=account_id).values_list("address", flat=True).first()
    if address is None:
        raise ChainUnavailable(f"The wallet of account {account_id} is not on record yet.")
    return bytes(Pubkey.from_string(address))


def market_figures() -> dict[int, MarketFigures]:
    return {
        market.id: MarketFigures(
            tick_lot_atoms(tick_e8=market.tick_e8, lot_e8=market.lot_e8), market.lot_e8, market.parameters["liquidation_fee_ppm"]
        )
        for market in Market.objects.all()
    }


def _books() -> dict[int, Book]:
    books = {account.account_id: Book(account.balance_atoms) for account in SettledAccount.objects.all()}
    for position in SettledPosition.objects.all():
        books[position.account_id].positions[position.market_id] = (position.lots, position.cost_atoms)
    return books


def _orders(after_ms: int) -> dict[int, SignedOrder]:
    """Return the signed orders that can still be filled, each under what was signed for it last."""
    return {
        row.order_id: SignedOrder(bytes.fromhex(row.digest), row.account_id, row.order_id, bytes(row.signed), row.filled_lots)
        for row in _fillable(after_ms).exclude(order_id=REPLACED)
    }


def _fills(after_ms: int) -> dict[bytes, int]:
    """Return what is filled under each signature that can still be used, replaced ones included."""
    return {bytes.fromhex(digest): filled for digest, filled in _fillable(after_ms).values_list("digest", "filled_lots")}


def _fillable(after_ms: int) -> QuerySet[SignedOrderRecord]:
    return SignedOrderRecord.objects.filter(expiry_ms__gte=after_ms, filled_lots__lt=F("size_lots"))


def save(*, fold: Fold, account_ids: list[int]) -> None:
    """Keep what the fold made of these accounts, and of the orders that it touched."""
    books = {account_id: fold.books[account_id] for account_id in account_ids if account_id in fold.books}
    SettledAccount.objects.bulk_create(
        [SettledAccount(account_id=account_id, balance_atoms=book.balance_atoms) for account_id, book in books.items()],
        update_conflicts=True,
        unique_fields=["account_id"],
        update_fields=["balance_atoms"],
    )
    SettledPosition.objects.filter(account_id__in=books).delete()
    SettledPosition.objects.bulk_create(
        SettledPosition(account_id=account_id, market_id=market_id, lots=lots, cost_atoms=cost)
        for account_id, book in books.items()
        for market_id, (lots, cost) in book.positions.items()
    )
    _save_orders(fold)


def _save_orders(fold: Fold) -> None:
    """Keep signatures and their fills. One that an amendment replaced stays, for its fills, but no order is under it any more."""
    now = [fold.orders[order_id] for order_id in sorted(fold.touched_orders)]
    SignedOrderRecord.objects.bulk_create(
        [_record(one) for one in {one.digest: one for one in (*fold.replaced_orders, *now)}.values()],
        update_conflicts=True,
        unique_fields=["digest"],
        update_fields=["filled_lots", "order_id"],
    )
    fold.touched_orders.clear()
    fold.replaced_orders.clear()


def _record(order: SignedOrder) -> SignedOrderRecord:
    said = decode(take_apart(order.signed).data)
    return SignedOrderRecord(
        digest=order.digest.hex(),
        account_id=order.account_id,
        order_id=order.order_id,
        signed=order.signed,
        size_lots=said.size_lots,
        expiry_ms=min(said.expiry_ms, 2**63 - 1),
        filled_lots=order.filled_lots,
    )
