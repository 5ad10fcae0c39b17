"""Random lives with a wallet's account among them: every fill is one that the chain would accept as signed."""

from collections import Counter
from random import Random

import msgspec
import pytest

from markets.commands import AmendOrder, CancelNonces, Command, PlaceBatch, PlaceOrder, RevokeKey, Side, UpdateMarket
from markets.events import Event, OrderAccepted, OrderAmended, OrderFilled
from markets.ledger import BACKSTOP
from markets.signed_orders import Fill, decode, order_hash, refusal, take_apart
from tests.engine.chance import Chance
from tests.engine.desk import ALICE, MARKET, USDC, Desk, parameters
from tests.engine.signing import DOMAIN, KEY, OTHER_KEY, signed
from trading.engine.snapshot import state_hash


class Owner:
    """Signs what Alice is about to send: mostly what it takes, now and then too little, for too short, or the same again."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk = desk
        self.random = Random(seed)  # noqa: S311
        self.last = b""

    def endorse(self, command: Command) -> Command:
        if isinstance(command, PlaceBatch) and command.account_id == ALICE:
            return msgspec.structs.replace(command, items=tuple(self.endorse(item) for item in command.items))
        if isinstance(command, PlaceOrder) and command.account_id == ALICE:
            plain = msgspec.structs.replace(command, take_profit_ticks=0, stop_loss_ticks=0)
            return msgspec.structs.replace(
                plain, signed=self.sign(command.market_id, command.side, command.size_lots, command.price_ticks, command.reduce_only)
            )
        order = self.desk.engine.state.orders.get(command.order_id) if isinstance(command, AmendOrder) else None
        if order is None or not isinstance(command, AmendOrder) or command.account_id != ALICE:
            return command
        size = command.size_lots or order.size_lots
        return msgspec.structs.replace(
            command,
            signed=self.sign(command.market_id, order.command.side, size, command.price_ticks or order.price_ticks, order.reduce_only),
        )

    def sign(self, market_id: int, side: Side, size_lots: int, price_ticks: int, reduces: bool) -> bytes:
        draw = self.random
        sign = 1 if side == "buy" else -1
        market = self.desk.engine.state.markets[market_id]
        if self.last and draw.random() < 0.05:
            return self.last
        off = draw.random() < 0.25
        self.last = signed(
            draw.choice((KEY, KEY, OTHER_KEY)),
            market_id=market_id,
            side=side,
            size_lots=max(1, size_lots + (draw.choice((-1, 0, 10)) if off else 0)),
            limit_ticks=(price_ticks or market.mark_ticks) + sign * (draw.choice((-1, 0, 30)) if off else 5),
            fee_cap_ppm=draw.choice((499, 500, 600)) if off else 560,
            reduce_only=reduces and draw.random() < 0.7,
            expiry_ms=self.desk.now_ms + (draw.choice((1, 3_000, 60_000)) if off else 1_000_000),
            nonce=self.desk.now_ms + draw.randint(-50, 50),
        )
        return self.last


class Judge:
    """Follows the events alone, as a settlement does, and holds each fill of a signed order against what was signed."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.signed: dict[int, bytes] = {}  # order id -> the bytes in force
        self.filled: Counter[bytes] = Counter()
        self.positions: Counter[int] = Counter()
        self.judged = 0

    def follow(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, OrderAccepted) and event.order.account_id == ALICE:
                self.signed[event.order_id] = take_apart(event.order.signed).data
            elif isinstance(event, OrderAmended) and event.signed:
                self.signed[event.order_id] = take_apart(event.signed).data
            elif isinstance(event, OrderFilled):
                self.judge(event)
            account_id, lots = getattr(event, "account_id", 0), getattr(event, "size_lots", 0)
            if type(event).__name__ == "PositionChanged" and account_id == ALICE:
                self.positions[event.market_id] = lots  # type: ignore[attr-defined]

    def judge(self, event: OrderFilled) -> None:
        maker = (event.maker_account_id, event.maker_order_id, event.maker_fee_atoms, event.maker_position_lots, event.taker_side != "buy")
        taker = (event.taker_account_id, event.taker_order_id, event.taker_fee_atoms, event.taker_position_lots, event.taker_side == "buy")
        for account_id, order_id, fee_atoms, after_lots, buys in (maker, taker):
            if account_id != ALICE:
                continue
            before = self.positions[event.market_id]
            assert after_lots == before + (event.size_lots if buys else -event.size_lots)
            self.positions[event.market_id] = after_lots
            if event.kind == "liquidation" and order_id == event.taker_order_id:
                continue
            data = self.signed[order_id]
            market = self.desk.engine.state.markets[event.market_id]
            fill = Fill(
                domain=DOMAIN,
                market_id=event.market_id,
                size_lots=event.size_lots,
                price_ticks=event.price_ticks,
                fee_atoms=fee_atoms,
                time_ms=self.desk.now_ms,
                filled_lots=self.filled[order_hash(data)],
                position_lots=before,
            )
            order = decode(data)
            assert (order.side == "buy") == buys
            assert refusal(order, fill, tick_lot_atoms=market.tick_lot_atoms) is None
            self.filled[order_hash(data)] += event.size_lots
            self.judged += 1


@pytest.mark.parametrize("seed", range(4))
def test_it_fills_only_what_was_signed(seed: int) -> None:
    desk = Desk(cash=[20_000 * USDC, 2_000_000 * USDC][seed % 2], wallets=(ALICE,))
    desk.lever([50, 5][seed % 2])
    desk.fund(BACKSTOP, 50_000 * USDC)
    owner, judge, draw = Owner(desk, seed), Judge(desk), Random(seed)  # noqa: S311
    for number, command in enumerate(Chance(desk, 300 + seed).commands(1_200)):
        desk.do(owner.endorse(command))
        judge.follow(desk.events)
        if number % 150 == 149:
            fees = parameters(taker_fee_ppm=draw.choice((500, 550)), maker_fee_ppm=draw.choice((200, 500, 550)))
            taken_back = CancelNonces(account_id=ALICE, min_nonce=desk.now_ms - 100_000)
            for rare in (UpdateMarket(parameters=fees), taken_back):
                desk.do(rare)
                judge.follow(desk.events)
        if number == 1_000:
            desk.do(RevokeKey(account_id=ALICE, key=bytes(OTHER_KEY.pubkey())))
    assert judge.judged > 10, "hardly anything was filled: the life proves nothing"
    assert judge.positions[MARKET] == desk.position(ALICE)
    assert desk.replay() == state_hash(desk.engine.state)
