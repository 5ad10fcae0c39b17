"""What an auditor makes of the events alone: every balance and position, and whether each liquidation's numbers add up."""

from collections import Counter, defaultdict

from markets import ledger
from markets.events import (
    AccountLiquidated,
    Event,
    FundingPaid,
    InsurancePaid,
    LedgerPosted,
    LiquidationStarted,
    LiquidationStepped,
    MarginModeSet,
    MarkChanged,
    MarketCreated,
    MarketUpdated,
    OrderFilled,
    PositionChanged,
    PositionDeleveraged,
)
from markets.parameters import MarketParameters
from markets.units import tick_lot_atoms
from risk.margin import maintenance_margin
from trading.engine import margin
from trading.engine.state import State
from trading.postings import funding_postings, match_postings

Key = tuple[int, str]  # account, asset


class Running:
    """A liquidation that has not ended, and what its steps add up to."""

    def __init__(self, event: LiquidationStarted) -> None:
        self.account_id = event.account_id
        self.steps = self.closed_quote_atoms = self.fee_atoms = self.insurance_paid_atoms = 0
        self.taken_over: list[tuple[int, int, int]] = []
        self.deleveraged: list[tuple[int, int, int]] = []

    def told(self) -> tuple[object, ...]:
        return (self.steps, self.closed_quote_atoms, self.fee_atoms, self.insurance_paid_atoms, self.taken_over, self.deleveraged)


class Auditor:
    """Folds events as they come; an AssertionError names the first that does not fit the ones before it."""

    def __init__(self) -> None:
        self.balances: defaultdict[Key, int] = defaultdict(int)
        self.positions: defaultdict[int, dict[int, tuple[int, int]]] = defaultdict(dict)  # account -> market -> size, cost
        self.parameters: dict[int, MarketParameters] = {}
        self.marks: dict[int, int] = {}
        self.paid_in: defaultdict[int, int] = defaultdict(int)
        self.counts: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()  # atoms by kind of transfer
        self.mixed: set[int] = set()  # accounts with isolated pools or other collateral: their equity is not the account's USDC alone
        self.open: dict[int, Running] = {}
        self.deleveraged: defaultdict[tuple[int, int], int] = defaultdict(int)  # liquidation and market -> lots of the other side

    def __call__(self, events: list[Event]) -> None:
        for event in events:
            self.counts[type(event).__name__] += 1
            self.fold(event)

    def fold(self, event: Event) -> None:
        if isinstance(event, OrderFilled):
            self.take_fill(event)
        elif isinstance(event, LedgerPosted):
            for line in event.transfers:
                self.move(line.debit_account_id, line.credit_account_id, line.asset, line.amount_atoms, line.kind)
        elif isinstance(event, FundingPaid):
            for debit, credit, amount, kind in funding_postings(event):
                self.move(debit, credit, "USDC", amount, kind)
        elif isinstance(event, PositionChanged):
            self.check_size(event.account_id, event.market_id, event.previous_lots)
            self.place(event.account_id, event.market_id, event.size_lots, event.cost_atoms)
        elif isinstance(event, MarginModeSet):
            self.mixed.add(event.account_id)
        elif isinstance(event, MarkChanged):
            self.marks[event.market_id] = event.mark_ticks
        elif isinstance(event, MarketCreated | MarketUpdated):
            self.parameters[event.parameters.market_id] = event.parameters
        elif isinstance(event, LiquidationStarted):
            self.start(event)
        elif isinstance(event, LiquidationStepped):
            self.step(event)
        elif isinstance(event, PositionDeleveraged):
            self.deleverage(event)
        elif isinstance(event, InsurancePaid):
            self.insure(event)
        elif isinstance(event, AccountLiquidated):
            self.end(event)

    def move(self, debit: int, credit: int, asset: str, amount_atoms: int, kind: str) -> None:
        assert amount_atoms > 0, f"a transfer of {amount_atoms}"
        self.balances[debit, asset] -= amount_atoms
        self.balances[credit, asset] += amount_atoms
        self.kinds[kind] += amount_atoms
        if kind == "deposit" and asset == "USDC":
            self.paid_in[credit] += amount_atoms
        if asset != "USDC":
            self.mixed.add(credit)

    def take_fill(self, fill: OrderFilled) -> None:
        signed = fill.size_lots if fill.taker_side == "buy" else -fill.size_lots
        self.check_size(fill.taker_account_id, fill.market_id, fill.taker_position_lots - signed)
        self.check_size(fill.maker_account_id, fill.market_id, fill.maker_position_lots + signed)
        for debit, credit, amount, kind in match_postings(fill):
            self.move(debit, credit, "USDC", amount, kind)
        self.place(fill.taker_account_id, fill.market_id, fill.taker_position_lots, fill.taker_cost_atoms)
        self.place(fill.maker_account_id, fill.market_id, fill.maker_position_lots, fill.maker_cost_atoms)

    def check_size(self, account_id: int, market_id: int, told_lots: int) -> None:
        known, _ = self.positions[account_id].get(market_id, (0, 0))
        assert known == told_lots, f"account {account_id} held {known} lots, its event says {told_lots}"

    def place(self, account_id: int, market_id: int, size_lots: int, cost_atoms: int) -> None:
        if size_lots:
            self.positions[account_id][market_id] = (size_lots, cost_atoms)
        else:
            assert cost_atoms == 0, "a closed position has a cost"
            self.positions[account_id].pop(market_id, None)

    def value(self, market_id: int, size_lots: int) -> int:
        parameters = self.parameters[market_id]
        return size_lots * self.marks[market_id] * tick_lot_atoms(tick_e8=parameters.tick_e8, lot_e8=parameters.lot_e8)

    def equity(self, account_id: int) -> int:
        held = self.positions[account_id].items()
        return self.balances[account_id, "USDC"] + sum(self.value(market_id, size) - cost for market_id, (size, cost) in held)

    def maintenance(self, account_id: int) -> int:
        return sum(
            maintenance_margin(notional_atoms=abs(self.value(market_id, size)), tiers=self.parameters[market_id].tiers)
            for market_id, (size, _) in self.positions[account_id].items()
        )

    def compare(self, account_id: int, equity_atoms: int, maintenance_atoms: int, what: str) -> None:
        """Hold a pool's figures against the account's, where the account is one cross pool of USDC."""
        if account_id not in self.mixed:
            found = (self.equity(account_id), self.maintenance(account_id))
            assert (equity_atoms, maintenance_atoms) == found, (
                f"{what} at {(equity_atoms, maintenance_atoms)}, its account stands at {found}"
            )

    def start(self, event: LiquidationStarted) -> None:
        self.compare(event.account_id, event.equity_atoms, event.maintenance_atoms, f"liquidation {event.liquidation_id} starts")
        assert event.equity_atoms < event.maintenance_atoms, f"liquidation {event.liquidation_id} of an account that is not short"
        self.open[event.liquidation_id] = Running(event)

    def step(self, event: LiquidationStepped) -> None:
        """A step's numbers are those of the account after it, and its closed lots are gone from the position."""
        running = self.open[event.liquidation_id]
        running.steps += 1
        assert event.step == running.steps, f"liquidation {event.liquidation_id}: step {event.step} after {running.steps - 1}"
        self.check_size(event.account_id, event.market_id, event.position_lots - event.closed_lots)
        self.compare(event.account_id, event.equity_after_atoms, event.maintenance_after_atoms, f"liquidation {event.liquidation_id} steps")
        assert event.mark_ticks == self.marks[event.market_id], "a step at another mark"
        if event.stage == "book":
            running.closed_quote_atoms += event.quote_atoms
            running.fee_atoms += event.fee_atoms
        elif event.stage == "backstop":
            running.taken_over.append((event.market_id, event.position_lots, event.limit_ticks))
        else:
            running.deleveraged.append((event.market_id, event.position_lots, event.quote_atoms))
            others = self.deleveraged.pop((event.liquidation_id, event.market_id), 0)
            assert others == -event.closed_lots, f"deleveraging closed {event.closed_lots} lots against {others}"

    def deleverage(self, event: PositionDeleveraged) -> None:
        assert 0 < abs(event.closed_lots) <= abs(event.position_lots), "deleveraged more than there is"
        assert event.closed_lots * event.position_lots > 0, "deleveraging makes a position smaller"
        self.deleveraged[event.liquidation_id, event.market_id] += event.closed_lots

    def insure(self, event: InsurancePaid) -> None:
        assert 0 < event.paid_atoms <= event.owed_atoms, "insurance pays what is owed at most"
        if event.payer_account_id == ledger.INSURANCE:
            assert event.balance_atoms >= 0, "the insurance fund went below zero"
        if event.liquidation_id in self.open and event.payer_account_id == ledger.INSURANCE:
            self.open[event.liquidation_id].insurance_paid_atoms += event.paid_atoms

    def end(self, event: AccountLiquidated) -> None:
        running = self.open.pop(event.liquidation_id)
        sums = (
            event.steps,
            event.closed_quote_atoms,
            event.fee_atoms,
            event.insurance_paid_atoms,
            [*event.taken_over],
            [*event.deleveraged],
        )
        assert sums == running.told(), f"liquidation {event.liquidation_id} tells {sums}, its steps {running.told()}"
        self.compare(event.account_id, event.equity_atoms, event.maintenance_atoms, f"liquidation {event.liquidation_id} ends")

    def check(self, state: State) -> None:
        """Compare with the engine: every balance, every position, zero in sum, and no loss that is nobody's."""
        for account in state.accounts.values():
            assert account.usdc_atoms() == self.balances[account.account_id, "USDC"], f"balance of account {account.account_id}"
            held = {number: (one.size_lots, one.cost_atoms) for number, one in account.holdings.items() if one.size_lots}
            assert held == self.positions[account.account_id], f"positions of account {account.account_id}"
            for asset, amount in account.cross.collateral.items():
                assert amount == self.balances[account.account_id, asset], f"{asset} of account {account.account_id}"
            if account.account_id >= ledger.FIRST_USER_ACCOUNT:
                for pool in account.pools():
                    assert margin.equity(state, pool) >= 0, f"account {account.account_id} owes what nobody bears"
        for asset in {asset for _, asset in self.balances}:
            assert sum(amount for (_, each), amount in self.balances.items() if each == asset) == 0, f"{asset} does not sum to zero"
