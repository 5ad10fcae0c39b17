"""The prices at which collateral assets count, taken from their indices."""

from risk.collateral import cautious_price_e8, initial_price_e8
from trading.engine.index import Index
from trading.engine.state import Asset, State
from trading.engine.thresholds import disarm_holders


def reprice(state: State, index: Index) -> None:
    """Value the assets whose index has moved, or has another state."""
    for asset in state.assets.values():
        if asset.parameters.index_id == index.index_id and take_price(asset, index):
            state.mark_epoch += 1
            disarm_holders(state, asset)


def take_price(asset: Asset, index: Index) -> bool:
    """Take an asset's prices from its index; tell whether they changed. A price that is not trusted opens nothing."""
    before = (asset.price_e8, asset.initial_price_e8)
    price = cautious_price_e8(price_e8=index.price_e8, confidence_e8=index.confidence_e8, amount_atoms=1)
    asset.price_e8 = price
    asset.initial_price_e8 = (
        initial_price_e8(price_e8=price, stable_e8=index.stable.price_e8, amount_atoms=1) if index.allows("value_collateral") else 0
    )
    return before != (asset.price_e8, asset.initial_price_e8)
