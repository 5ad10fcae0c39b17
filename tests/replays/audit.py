"""What an auditor makes of the events alone: every balance and position, and whether each liquidation's numbers add up."""

from collections import Counter, defaultdict

from markets import ledger
from markets.events import (
    AccountLiquidated,
    Event,
    FundingPaid,
    LedgerPosted,
    LiquidationStarted,
    MarkChanged,
    MarketCreated,
    MarketUpdated,
    OrderFilled,
    PositionChanged,
)
from markets.parameters import MarketParameters
from markets.units import tick_lot_atoms
from risk.margin import maintenance_margin
from trading.engine.state import State
from trading.postings import funding_postings, match_postings

Key = tuple[int, str]  # account, asset


class Auditor:
    """Folds events as they come; an AssertionError names the first that does not fit the ones before it."""

    def __init__(self) -> None:
        self.balances: defaultdict[Key, int] = defaultdict(int)
        self.positions: defaultdict[int, dict[int, tuple[int, int]]] = defaultdict(dict)  # account -> market -> size, cost
        self.parameters: dict[int, MarketParameters] = {}
        self.marks: dict[int, int] = {}
        self.counts: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()  # atoms by kind of transfer
        self.open: dict[int, LiquidationStarted] = {}

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
        elif isinstance(event, MarkChanged):
            self.marks[event.market_id] = event.mark_ticks
        elif isinstance(event, MarketCreated | MarketUpdated):
            self.parameters[event.parameters.market_id] = event.parameters
        elif isinstance(event, LiquidationStarted):
            self.start(event)
        elif isinstance(event, AccountLiquidated):
            self.end(event)

    def move(self, debit: int, credit: int, asset: str, amount_atoms: int, kind: str) -> None:
        assert amount_atoms > 0, f"a transfer of {amount_atoms}"
        self.balances[debit, asset] -= amount_atoms
        self.balances[credit, asset] += amount_atoms
        self.kinds[kind] += amount_atoms

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

    def start(self, event: LiquidationStarted) -> None:
        told = (event.equity_atoms, event.maintenance_atoms)
        found = (self.equity(event.account_id), self.maintenance(event.account_id))
        assert told == found, f"liquidation {event.liquidation_id} starts at {told}, its account stands at {found}"
        assert event.equity_atoms < event.maintenance_atoms, f"liquidation {event.liquidation_id} of an account that is not short"
        self.open[event.liquidation_id] = event

    def end(self, event: AccountLiquidated) -> None:
        self.open.pop(event.liquidation_id)
        told = (event.equity_atoms, event.maintenance_atoms)
        found = (self.equity(event.account_id), self.maintenance(event.account_id))
        assert told == found, f"liquidation {event.liquidation_id} ends at {told}, its account stands at {found}"

    def check(self, state: State) -> None:
        """Compare with the engine: every balance, every position, zero in sum, and no loss that is nobody's."""
        for account in state.accounts.values():
            assert account.usdc_atoms() == self.balances[account.account_id, "USDC"], f"balance of account {account.account_id}"
            held = {number: (one.size_lots, one.cost_atoms) for number, one in account.holdings.items() if one.size_lots}
            assert held == self.positions[account.account_id], f"positions of account {account.account_id}"
            if account.account_id >= ledger.FIRST_USER_ACCOUNT:
                assert self.equity(account.account_id) >= 0, f"account {account.account_id} owes what nobody bears"
        for asset in {asset for _, asset in self.balances}:
            assert sum(amount for (_, each), amount in self.balances.items() if each == asset) == 0, f"{asset} does not sum to zero"
