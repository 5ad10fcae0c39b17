"""Every account of every instruction of the liquidation program is exchanged for another one; none may pass."""

from tests.programs.support.exchange import HOUR_S, USDC
from tests.programs.support.insurance import PARAMETERS, Insurance
from tests.programs.test_accounts import audited

# Whoever brings money or pays rent may be anyone; the system program is fixed by Anchor.
ANYONE = {"payer", "contributor", "opener", "system_program"}


def insure(insurance: Insurance) -> None:
    """Use every instruction once: a stake, a liquidation with a dispute, a loss that is made whole, and the way out."""
    exchange, alice, bob, charlie = insurance.exchange, insurance.exchange.alice, insurance.exchange.bob, insurance.exchange.charlie
    insurance.initialise()
    for owner in (alice, bob):
        exchange.deposit(owner, 20_000 * USDC)
    exchange.deposit(charlie, 100_000 * USDC)
    insurance.stake(bob, 50_000 * USDC)
    insurance.contribute(charlie, USDC)
    exchange.silence()
    exchange.match(exchange.order(alice, "buy", 7_900), exchange.order(bob, "sell", 7_900), 7_900)
    liquidate(insurance)
    exchange.liquidate(alice, charlie, exchange.lots(alice))
    insurance.dispute(alice, USDC, number=2)
    insurance.decide(alice, USDC, number=2)
    insurance.close_dispute(alice, number=2)
    insurance.open_recovery(alice)
    exchange.chain.warp(seconds=HOUR_S)
    insurance.recover(alice)
    exchange.deposit(bob, 10_000 * USDC, user=exchange.user(alice))
    insurance.close_recovery(alice)
    insurance.request(bob)
    insurance.cancel(bob)
    insurance.request(bob)
    exchange.chain.warp(seconds=PARAMETERS["cooldown_s"])
    insurance.unstake(bob)


def liquidate(insurance: Insurance) -> None:
    """Begin, end because the price came back, begin again and take a step."""
    exchange, alice, charlie = insurance.exchange, insurance.exchange.alice, insurance.exchange.charlie
    for number, dollars in ((1, 98_600), (2, 97_400)):
        exchange.chain.warp(seconds=10)
        exchange.reprice(dollars)
        insurance.begin(alice, number=number)
        if number == 1:
            exchange.chain.warp(seconds=10)
            exchange.reprice(100_000)
            insurance.end(alice)
    insurance.step(alice, charlie, 790, number=2)


def test_no_account_of_any_instruction_can_be_exchanged() -> None:
    exchange, auditor = audited()
    auditor.watching = False
    exchange.begin()
    auditor.watching = True
    insurance = Insurance(exchange)
    insure(insurance)
    assert auditor.accepted == []
    for name, described in insurance.program.instructions.items():
        untried = {account["name"] for account in described["accounts"]} - auditor.tried.get(name, set()) - ANYONE
        assert not untried, f"{name}: {untried}"
