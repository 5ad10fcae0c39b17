"""Random lives of the real engine, with the journal that they would leave."""

from collections.abc import Iterable
from functools import cache
from itertools import islice
from typing import Any

import msgspec

from accounts.models import Balance, LedgerTransfer
from markets.commands import Command, OpenAccount, SetLeverage, SetMarketStatus
from markets.events import Event, OrderAccepted
from markets.models import Candle, MarkCandle, Market, Trade
from markets.views import Reply
from oracle.models import OraclePrice
from risk.models import Deleveraging, FundingPayment, FundingRate, FundMovement, Liquidation, LiquidationStep
from tests.engine.chance import Chance
from tests.engine.desk import ALICE, BOB, MARKET, OTHER, USDC, Desk
from trading import journal
from trading.engine.engine import RULES_VERSION, Outcome
from trading.engine.identity import content_hash
from trading.models import Fill, Journal, Order, Position, UsedClientOrderId
from trading.projector.projector import Projector
from trading.runner.used_ids import placed

PROJECTED = (
    Balance, LedgerTransfer, Candle, MarkCandle, Market, Trade, OraclePrice, FundingPayment, FundingRate, Liquidation, Fill, Order,
    Position, UsedClientOrderId, LiquidationStep, FundMovement, Deleveraging,
)  # fmt: skip
BATCHES_AN_HOUR = 25
NEWCOMER = 1003


class JournalledDesk(Desk):
    """A desk whose batches are sealed into a journal, one after the other."""

    def __init__(self, **options: Any) -> None:
        self.sealed: list[journal.SealedRow] = []
        self.outcomes: list[Outcome] = []
        self.used_ids: dict[tuple[int, str], journal.FoundId] = {}
        super().__init__(**options)

    def batch(self, *given: Command) -> list[Reply]:
        found = self.remember(given)
        replies = super().batch(*given)
        self.note(self.outcome.events)
        body = journal.JournalBody(list(given), found, list(self.outcome.events))  # type: ignore[arg-type]
        previous_hash = self.sealed[-1].hash if self.sealed else journal.GENESIS_HASH
        row = journal.seal(
            body, seq=len(self.sealed) + 1, epoch=1, previous_hash=previous_hash, stamp_ms=self.now_ms, rules_version=RULES_VERSION
        )
        self.sealed.append(row)
        self.outcomes.append(self.outcome)
        return replies

    def remember(self, given: Iterable[Any]) -> list[journal.FoundId]:
        """Tell the engine of old client ids, as the runner does."""
        keys = {(order.account_id, order.client_order_id) for command in given for order in placed(command)}
        found = [self.used_ids[key] for key in sorted(keys) if key in self.used_ids]
        self.engine.remember({(one.account_id, one.client_order_id): (one.order_id, one.content_hash) for one in found})
        return found

    def note(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, OrderAccepted):
                order = event.order
                key = (order.account_id, order.client_order_id)
                self.used_ids[key] = journal.FoundId(*key, event.order_id, content_hash(order))

    def rows(self) -> list[journal.Row]:
        """Return the journal as readers see it."""
        bodies = [journal.unseal(row.payload) for row in self.sealed]
        return [
            journal.Row(seq=row.seq, stamp_ms=row.stamp_ms, commands=body.commands, events=body.events)
            for row, body in zip(self.sealed, bodies, strict=True)
        ]

    def store(self) -> None:
        """Put the journal into the database."""
        Journal.objects.bulk_create(Journal(**msgspec.structs.asdict(row)) for row in self.sealed)


@cache
def random_life(*, seed: int, commands: int = 400, cash: int = 2_000 * USDC, leverage: int = 50, batch: int = 3) -> JournalledDesk:
    """Let three traders do as chance has it, some commands a batch; now and then an hour passes, and all markets open again.

    The same life is lived only once in a test run: let nobody add to it.
    """
    desk = JournalledDesk(cash=cash)
    desk.lever(leverage)
    chance = Chance(desk, seed)
    drawn = chance.commands(commands)
    while given := list(islice(drawn, batch)):
        desk.batch(*given)
        if len(desk.sealed) % BATCHES_AN_HOUR == 0:
            pass_an_hour(desk, chance)
    crash(desk, chance)
    return desk


def pass_an_hour(desk: JournalledDesk, chance: Chance) -> None:
    for market_id in (0, MARKET, OTHER):
        desk.do(SetMarketStatus(market_id=market_id, status="normal", reason=""))
    desk.wait(3_600_000)
    for market_id, index in chance.index.items():
        desk.price(index, market_id=market_id)
        desk.sell(ALICE, 40, index + 3, market_id=market_id)
        desk.buy(BOB, 20, index + 3, market_id=market_id)


def crash(desk: JournalledDesk, chance: Chance) -> None:
    """End with a newcomer whose position a fall makes bankrupt, and who is deleveraged against the others."""
    index = chance.index[MARKET]
    for market_id in (0, MARKET, OTHER):
        desk.do(SetMarketStatus(market_id=market_id, status="normal", reason=""))
    desk.price(index)
    desk.do(OpenAccount(account_id=NEWCOMER))
    desk.deposit(NEWCOMER, 50 * USDC)
    desk.deposit(BOB, 10_000 * USDC)
    desk.do(SetLeverage(account_id=NEWCOMER, market_id=MARKET, leverage=20))
    desk.sell(BOB, 60, index)
    desk.buy(NEWCOMER, 60, index + 20, time_in_force="ioc")
    desk.price(index * 85 // 100)
    desk.confirm()


def project(rows: Iterable[journal.Row], *, rows_a_run: int = 1_000) -> Projector:
    """Project rows that are not in the database."""
    known = list(rows)
    projector = Projector(read=lambda after_seq, limit: [row for row in known if row.seq > after_seq][: min(rows_a_run, limit)])
    projector.catch_up()
    return projector


def tables() -> dict[str, list[Any]]:
    """Return the whole contents of every projected table, in order."""
    return {model.__name__: sorted(model.objects.values_list(), key=repr) for model in PROJECTED}
