"""Every constraint on every account of every instruction is broken once: a stranger's, a copy's, another program's account is refused."""

from solders.instruction import Instruction

from tests.programs.support.auditor import Auditor
from tests.programs.support.batches import credit, house
from tests.programs.support.exchange import HOUR_S, LIMITS, USDC, Exchange
from tests.programs.support.prices import Prices
from tests.programs.support.risks import Risks
from tests.programs.test_deleveraging import crash, give_up, show, take_over


def audited() -> tuple[Exchange, Auditor]:
    exchange = Exchange()
    auditor = Auditor(exchange.dex, exchange.prices.program)
    exchange.chain = auditor
    for seed in (1, 2, 3, 4, 11, 12, 13, 21, 22):
        auditor.key(seed)
    exchange.prices = Prices(auditor, exchange.prices.program, exchange.payer, exchange.authority)
    exchange.mints = [auditor.mint(501), auditor.mint(502)]
    return exchange, auditor


def live(exchange: Exchange) -> None:
    for owner in (exchange.alice, exchange.bob, exchange.charlie):
        exchange.deposit(owner, 20_000 * USDC)
    settler = exchange.settler
    exchange.pay(exchange.alice, USDC)
    exchange.grant(exchange.alice, USDC, number=2)
    exchange.chain.warp(seconds=HOUR_S + 1)
    exchange.send("return_voucher", {}, {"settler": settler.pubkey(), "voucher": exchange.voucher(exchange.alice, 2)}, [settler])
    authority = {"authority": exchange.authority.pubkey(), "asset": exchange.asset_accounts(0)["asset"]}
    exchange.send("set_limits", {"limits": LIMITS}, authority, [exchange.authority])
    alice = {"owner": exchange.alice.pubkey(), "user": exchange.user(exchange.alice)}
    exchange.send("cancel_nonces", {"min_nonce": 1}, alice, [exchange.alice])
    spare = exchange.chain.key(31)
    exchange.register_key(exchange.alice, spare)
    exchange.send("revoke_key", {}, alice | {"trading_key": exchange.trading_key(exchange.alice, spare)}, [exchange.alice])
    exchange.hand_on(exchange.authority)
    exchange.prices.hand_on(exchange.authority)
    exchange.reprice(100_000)


def instruction_name(exchange: Exchange, step: Instruction) -> str:
    return str(next(name for name, item in exchange.dex.instructions.items() if bytes(item["discriminator"]) == bytes(step.data)[:8]))


def settle_and_challenge(exchange: Exchange) -> None:
    leaves = exchange.fill(100, fee_atoms=USDC) | {exchange.authority: [credit(USDC)]}
    batch = exchange.build(leaves)
    for step in (exchange.open_instruction(batch.seq), exchange.post_instruction(batch), exchange.close_instruction(batch)):
        exchange.chain.send([step], [exchange.settler], label=instruction_name(exchange, step))
    proof = batch.proof(exchange.user(exchange.alice))
    exchange.challenge(batch, exchange.alice, siblings=[])
    accounts = {
        "challenger": exchange.charlie.pubkey(),
        "batch": exchange.batch(batch.seq),
        "challenge": exchange.challenged(batch, exchange.alice),
    }
    exchange.send("prove_challenge", {"siblings": proof["siblings"]}, accounts, [exchange.charlie])
    exchange.answer(batch, exchange.alice)
    lose_all(exchange)
    exchange.finalise()
    exchange.end_exit(exchange.custodian)
    exchange.settle(exchange.fill(100, buyer=exchange.bob, seller=exchange.alice))
    deleverage(exchange)
    unanswered = exchange.settle(exchange.fill(1))
    exchange.challenge(unanswered, exchange.alice)
    exchange.chain.warp(seconds=301)
    exchange.freeze_unanswered(unanswered, exchange.alice)


def lose_all(exchange: Exchange) -> None:
    """Let an account that asked to leave have nothing any more."""
    exchange.create_user(exchange.custodian)
    exchange.deposit(exchange.custodian, 5)
    exchange.request_exit(exchange.custodian)
    exchange.chain.warp(seconds=2)
    exchange.settle({exchange.custodian: [house(0, -5)], exchange.charlie: [credit(5)]})


def deleverage(exchange: Exchange) -> None:
    """Let Bob take over what Alice lost: a fee and a withdrawal before make her price a dollar each dearer."""
    crash(exchange)
    lacking = exchange.outlook(exchange.user(exchange.alice))[0][1]
    batch = exchange.settle(
        {exchange.alice: [give_up(exchange, quote_atoms=-lacking)], exchange.bob: [take_over(exchange, quote_atoms=lacking)]}
    )
    show(exchange, batch, exchange.alice, exchange.bob)


def judge(exchange: Exchange) -> None:
    """Let Alice be called for margin and recover, before anything is silent."""
    risks = Risks(exchange)
    exchange.prices.create(2)
    exchange.prices.agree(50, 2)
    risks.set_haircut([(0, 900_000, 950_000)])
    risks.set_limits(lots=10_000)
    exchange.settle(exchange.fill(7_900))
    exchange.chain.warp(seconds=10)
    exchange.reprice(99_000)
    risks.check(exchange.alice)
    risks.portfolio(exchange.alice, [exchange.user(exchange.alice)])
    risks.collateral(exchange.alice)
    risks.room(exchange.alice, buys=True)
    risks.call(exchange.alice)
    exchange.deposit(exchange.alice, 20_000 * USDC)
    risks.end(exchange.alice)
    exchange.settle(exchange.fill(7_900, 990_000, buyer=exchange.bob, seller=exchange.alice))
    exchange.finalise()
    exchange.chain.warp(seconds=1)
    exchange.reprice(100_000)
    exchange.pay(exchange.alice, 11_000 * USDC, number=3)


def fall_back_and_match(exchange: Exchange) -> None:
    exchange.request_exit(exchange.bob)
    exchange.silence()
    exchange.match(exchange.order(exchange.alice, "buy", 7_900), exchange.order(exchange.bob, "sell", 7_900), 7_900)
    exchange.withdraw(exchange.charlie, USDC, number=None)
    exchange.deposit(exchange.charlie, 100_000 * USDC)
    exchange.chain.warp(seconds=10)
    exchange.reprice(98_400)
    exchange.liquidate(exchange.alice, exchange.charlie, 7_900)
    exchange.chain.warp(seconds=1, slots=1_001)
    exchange.send("freeze_silent", {}, {}, [exchange.charlie])


def leave(exchange: Exchange) -> None:
    owners = (exchange.alice, exchange.bob, exchange.charlie, exchange.authority, exchange.custodian)
    for owner in owners:
        if exchange.chain.exists(exchange.user(owner)):
            exchange.value(owner)
    exchange.open_escapes()
    exchange.escape(exchange.bob)


def test_no_account_of_any_instruction_can_be_exchanged() -> None:
    challenged, first = audited()
    challenged.begin()
    live(challenged)
    settle_and_challenge(challenged)
    leave(challenged)
    silent, second = audited()
    silent.begin()
    live(silent)
    judge(silent)
    fall_back_and_match(silent)
    assert first.accepted == []
    assert second.accepted == []
    tried = {name: first.tried.get(name, set()) | second.tried.get(name, set()) for name in {*first.tried, *second.tried}}
    for program in second.programs:
        for name, described in program.instructions.items():
            roles = {account["name"] for account in described["accounts"]}
            untried = (
                roles - tried.get(name, set()) - {"payer", "matcher", "answerer", "challenger", "depositor", "system_program", "caller"}
            )
            assert not untried, f"{name}: {untried}"
