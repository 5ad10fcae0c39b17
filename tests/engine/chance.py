"""Seeded streams of commands of every kind, most of them sensible, to shake an engine with."""

from collections.abc import Iterator
from random import Random

from markets.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    ClockTick,
    Command,
    Deposit,
    HaltIndex,
    MarginMode,
    MoveIsolatedMargin,
    Observation,
    ObservePrice,
    OrderType,
    PlaceBatch,
    PlaceOrder,
    SetDeadMansSwitch,
    SetLeverage,
    SetMarginMode,
    SetMarketStatus,
    Side,
    SweepLiquidations,
    TimeInForce,
    Transfer,
    Withdraw,
)
from markets.ledger import FAUCET
from markets.parameters import MarketStatus
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, OTHER, USDC, Desk

ACCOUNTS = (ALICE, BOB, CHARLIE)
SIDES: tuple[Side, ...] = ("buy", "sell")
LIMITS: tuple[OrderType, ...] = ("limit",) * 6
RESTING_TIFS: tuple[TimeInForce, ...] = ("gtc", "gtc", "gtc", "ioc", "fok", "gtd")
MARKET_TIFS: tuple[TimeInForce, ...] = ("gtc", "ioc", "fok")
STATUSES: tuple[MarketStatus, ...] = ("normal", "normal", "normal", "normal", "post_only", "cancel_only", "halted")
TRIGGERS: tuple[OrderType, ...] = ("stop_market", "stop_limit", "take_profit_market", "take_profit_limit")


class Chance:
    """Draws commands that fit a desk's present prices and orders."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk = desk
        self.random = Random(seed)  # noqa: S311
        self.serial = 0
        self.index = {MARKET: 10_000, OTHER: 10_000}

    def commands(self, count: int) -> Iterator[Command]:
        kinds = (self.place, self.cancel, self.amend, self.observe, self.money, self.rare)
        for _ in range(count):
            self.desk.now_ms += self.random.choice((0, 1, 50, 2_000, 9_000))
            yield self.random.choices(kinds, (54, 8, 8, 20, 5, 5))[0]()

    def account(self) -> int:
        return self.random.choice(ACCOUNTS)

    def order_id(self, account_id: int) -> int:
        orders = list(self.desk.engine.state.accounts[account_id].orders)
        return self.random.choice(orders) if orders else 1

    def place(self) -> PlaceOrder:
        draw = self.random
        market_id = draw.choice((MARKET, MARKET, OTHER))
        side: Side = draw.choice(SIDES)
        sign = 1 if side == "buy" else -1
        type_ = draw.choice((*LIMITS, "market", "market", *TRIGGERS))
        center = self.index[market_id]
        price = 0 if type_.endswith("market") else center + draw.randint(-60, 60)
        trigger = type_ in TRIGGERS
        rising = sign if type_.startswith("stop") else -sign
        self.serial += 1
        close = trigger and type_.endswith("market") and draw.random() < 0.3
        resting = type_ in ("limit", "stop_limit", "take_profit_limit")
        tif = draw.choice(RESTING_TIFS if resting else MARKET_TIFS)
        attached = type_ == "limit" and draw.random() < 0.2
        return PlaceOrder(
            account_id=self.account(),
            market_id=market_id,
            side=side,
            type=type_,
            size_lots=0 if close else draw.choice((5, 20, 100, 300, 3_000)),
            price_ticks=price,
            client_order_id=draw.choice(("", f"c{self.serial}", f"c{self.serial // 2}")),
            time_in_force=tif,
            good_till_ms=self.desk.now_ms + draw.choice((5, 5_000, 100_000)) if tif == "gtd" else 0,
            post_only=draw.choice(("none", "none", "reject", "slide")) if tif in ("gtc", "gtd") and resting else "none",
            reduce_only=not attached and draw.random() < 0.3,
            close_position=close,
            self_trade_prevention=draw.choice(("expire_maker", "expire_taker", "expire_both")),
            trigger_ticks=center + rising * draw.randint(-5, 80) if trigger else 0,
            trigger_by=draw.choice(("mark", "index", "last")),
            take_profit_ticks=price + sign * draw.randint(1, 90) if attached else 0,
            stop_loss_ticks=price - sign * draw.randint(1, 90) if attached and draw.random() < 0.8 else 0,
            link_id=draw.randint(0, 3) if trigger else 0,
            session_id=draw.randint(0, 2),
        )

    def cancel(self) -> CancelOrder:
        account_id = self.account()
        return CancelOrder(account_id=account_id, order_id=self.order_id(account_id))

    def amend(self) -> AmendOrder:
        account_id = self.account()
        order_id = self.order_id(account_id)
        draw = self.random
        return AmendOrder(
            account_id=account_id,
            market_id=MARKET,
            order_id=order_id,
            price_ticks=draw.choice((0, self.index[MARKET] + draw.randint(-60, 60))),
            size_lots=draw.choice((0, 1, 10, 50, 500)),
            trigger_ticks=draw.choice((0, 0, self.index[MARKET] + draw.randint(-60, 60))),
        )

    def observe(self) -> ObservePrice:
        return ObservePrice(
            observations=tuple(
                observation for market_id in self.random.choice(((MARKET, OTHER), (MARKET,))) for observation in self.observed(market_id)
            )
        )

    def observed(self, market_id: int) -> tuple[Observation, ...]:
        """Return what one to three sources say: mostly two of one mind, now and then one that is alone, wide, or off."""
        draw = self.random
        span = draw.choice((20, 20, 80, 400))
        self.index[market_id] = max(5_000, min(20_000, self.index[market_id] + draw.randint(-span, span)))
        sources = draw.choices((("pyth", "pyth_solana"), ("pyth",), ("coingecko",), ("pyth", "pyth_solana", "coingecko")), (90, 3, 1, 6))[0]
        trouble = draw.random() < 0.02
        off = tuple(draw.choice((0, 30, 300)) if trouble else 0 for _ in sources)
        width = 150 if trouble and draw.random() < 0.3 else 0
        tick_e8 = self.desk.engine.state.markets[market_id].parameters.tick_e8
        return tuple(
            Observation(market_id, source, (self.index[market_id] + away) * tick_e8, width * tick_e8, self.desk.now_ms)
            for source, away in zip(sources, off, strict=True)
        )

    def money(self) -> Command:
        """Collateral that comes, goes and moves, and margin between pools; BTC is worth about 1,000 USD, and unknown unless admitted."""
        account_id = self.account()
        draw = self.random
        account = self.desk.engine.state.accounts[account_id]
        number = account.deposit_numbers.get(FAUCET, 0) + 1
        btc = draw.randint(1, 10**8)
        usdc = draw.randint(1, 300 * USDC)
        market_id = draw.choice((MARKET, OTHER))
        modes: tuple[MarginMode, ...] = ("cross", "isolated", "isolated")
        return draw.choice(
            (
                Deposit(account_id=account_id, asset="BTC", amount_atoms=btc, number=number, source_account_id=FAUCET),
                Withdraw(account_id=account_id, asset="BTC", amount_atoms=btc, target_account_id=FAUCET),
                Transfer(account_id=account_id, to_account_id=self.account(), asset="BTC", amount_atoms=btc),
                SetMarginMode(account_id=account_id, market_id=market_id, mode=draw.choice(modes)),
                SetMarginMode(account_id=account_id, market_id=market_id, mode=draw.choice(modes)),
                MoveIsolatedMargin(account_id=account_id, market_id=market_id, amount_atoms=draw.choice((usdc, -usdc))),
            )
        )

    def rare(self) -> Command:
        account_id = self.account()
        draw = self.random
        items = tuple(self.place() for _ in range(draw.randint(0, 4)))
        status = draw.choice(STATUSES)
        amount = draw.randint(1, 500 * USDC)
        return draw.choice(
            (
                ClockTick(),
                SweepLiquidations(),
                HaltIndex(index_id=draw.choice((MARKET, OTHER)), reason=draw.choice(("",) * 6 + ("chance",))),
                HaltIndex(index_id=MARKET, reason=""),
                CancelAll(account_id=account_id, market_id=draw.choice((0, MARKET)), session_id=draw.randint(0, 2)),
                SetLeverage(account_id=account_id, market_id=draw.choice((MARKET, OTHER)), leverage=draw.choice((1, 10, 50, 50, 50, 60))),
                SetDeadMansSwitch(account_id=account_id, timeout_ms=draw.choice((0, 1_000, 60_000))),
                PlaceBatch(account_id=account_id, items=tuple(item for item in items if item.account_id == account_id) or items),
                SetMarketStatus(market_id=draw.choice((0, MARKET)), status=status, reason="chance"),
                SetMarketStatus(market_id=0, status="normal", reason="chance"),
                SetMarketStatus(market_id=MARKET, status="normal", reason="chance"),
                SetMarketStatus(market_id=MARKET, status="normal", reason="chance"),
                SetMarketStatus(market_id=0, status="normal", reason="chance"),
                Transfer(account_id=account_id, to_account_id=self.account(), asset="USDC", amount_atoms=amount),
                Withdraw(account_id=account_id, asset="USDC", amount_atoms=amount, target_account_id=FAUCET),
            )
        )
