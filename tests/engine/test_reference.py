"""The engine against the plainest exchange that does the same: equal state hashes after every command, whatever the commands."""

from hypothesis import given, settings
from hypothesis import strategies as st

from markets.commands import AmendOrder, BookChainTrade, CancelOrder, PlaceOrder, TimeInForce
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, Desk
from tests.engine.reference import Reference, picture, picture_hash

accounts = st.sampled_from([ALICE, BOB, CHARLIE])
prices = st.integers(9_990, 10_010)
sizes = st.integers(1, 20)
order_ids = st.integers(1, 60)


@st.composite
def placed(draw: st.DrawFn) -> PlaceOrder:
    lasting: list[TimeInForce] = ["gtc", "gtc", "gtc", "ioc", "fok"]
    time_in_force = draw(st.sampled_from(lasting))
    resting = time_in_force == "gtc"
    return PlaceOrder(
        account_id=draw(accounts),
        market_id=MARKET,
        side=draw(st.sampled_from(["buy", "sell"])),
        type="limit",
        size_lots=draw(sizes),
        price_ticks=draw(prices),
        time_in_force=time_in_force,
        post_only=draw(st.sampled_from(["none", "none", "reject", "slide"])) if resting else "none",
        reduce_only=not resting and draw(st.booleans()),
        self_trade_prevention=draw(st.sampled_from(["expire_maker", "expire_taker", "expire_both"])),
    )


amended = st.builds(
    AmendOrder,
    account_id=accounts,
    market_id=st.just(MARKET),
    order_id=order_ids,
    price_ticks=st.one_of(st.just(0), prices),
    size_lots=st.one_of(st.just(0), sizes),
)
cancelled = st.builds(CancelOrder, account_id=accounts, order_id=order_ids)

booked = st.builds(
    BookChainTrade,
    market_id=st.just(MARKET),
    buyer_account_id=accounts,
    seller_account_id=accounts,
    size_lots=sizes,
    quote_atoms=st.integers(0, 400_000_000),
    number=st.integers(1, 30),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(placed(), placed(), amended, cancelled, booked), min_size=30, max_size=60))
def test_it_does_what_the_plainest_exchange_does(commands: list[PlaceOrder | AmendOrder | CancelOrder | BookChainTrade]) -> None:
    desk = Desk()
    state = desk.engine.state
    cash = {account_id: state.accounts[account_id].usdc_atoms() for account_id in (ALICE, BOB, CHARLIE)}
    reference = Reference(first_order_id=state.next_order_id, cash=cash)
    for command in commands:
        desk.do(command)
        reference.apply(command)
        ours, plain = picture(state, MARKET), reference.picture()
        assert picture_hash(ours) == picture_hash(plain), (command, ours, plain)
