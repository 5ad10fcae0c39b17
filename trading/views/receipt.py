"""What an order would cost and change, said before it is sent."""

from dataclasses import dataclass

from markets import figures
from markets.parameters import MarketParameters
from markets.views import Preview
from trading.views import words


@dataclass(frozen=True, slots=True)
class Change:
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    order_value: str
    average_price: str
    margin: Change
    liquidation: Change
    fee: str
    leverage: Change
    max_size_lots: int = 0
    reject_code: str = ""
    reason: str = ""


OPEN = Change(figures.NONE, figures.NONE)
NO_RECEIPT = Receipt(
    order_value=figures.NONE, average_price=figures.NONE, margin=OPEN, liquidation=OPEN, fee=figures.NONE, leverage=OPEN
)  # fmt: skip


def receipt_of(preview: Preview, market: MarketParameters) -> Receipt:
    return Receipt(
        order_value=figures.dollars(preview.order_value_atoms),
        average_price=figures.price(preview.estimated_price_ticks, market),
        margin=Change(figures.dollars(preview.initial_margin_before_atoms), figures.dollars(preview.initial_margin_after_atoms)),
        liquidation=Change(figures.price(preview.liquidation_ticks_before, market), figures.price(preview.liquidation_ticks_after, market)),
        fee=f"{figures.dollars(preview.fee_maker_atoms)} / {figures.dollars(preview.fee_taker_atoms)}",
        leverage=Change(figures.multiple(preview.leverage_before_ppm), figures.multiple(preview.leverage_after_ppm)),
        max_size_lots=preview.max_size_lots,
        reject_code=preview.reject.code if preview.reject else "",
        reason=words.preview_text(preview.reject, market),
    )
