"""The authority of exchange and oracle is handed on in two steps: offered by the one, accepted by the other, never by one of them alone."""

from typing import Any

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import advance_nonce_account, create_nonce_account

from tests.programs.support.batches import house
from tests.programs.support.exchange import LIMITS, PARAMETERS, USDC, Exchange
from tests.programs.support.prices import Prices
from tests.programs.support.risks import Risks
from tests.programs.support.svm import SYSTEM, refused

INSURANCE = 2**16 - 1
RAISED = LIMITS | {"day_atoms": 2 * LIMITS["day_atoms"]}


class Held:
    """The authority of the exchange or of the oracle, and something that only it may do."""

    def __init__(self, exchange: Exchange, name: str) -> None:
        self.exchange = exchange
        self.former, self.next, self.stranger = exchange.authority, exchange.charlie, exchange.bob
        self.side: Exchange | Prices = exchange if name == "exchange" else exchange.prices
        self._feeds = 1

    def state(self) -> dict[str, Any]:
        return self.side.oracle_state() if isinstance(self.side, Prices) else self.side.state()

    def offer(self, offered: Pubkey, *, by: Keypair | None = None) -> None:
        signer = by or self.former
        self.exchange.chain.send([self.offering(offered, signer)], [signer])

    def offering(self, offered: Pubkey, signer: Keypair) -> Instruction:
        return self.side.offering(offered, signer.pubkey())

    def accept(self, by: Keypair) -> None:
        self.exchange.chain.send([self.accepting(by)], [by])

    def accepting(self, by: Keypair) -> Instruction:
        return self.side.accepting(by.pubkey())

    def use(self, by: Keypair) -> None:
        if isinstance(self.side, Prices):
            self._feeds += 1
            self.side.create(self._feeds, authority=by)
        else:
            set_limits(self.side, LIMITS, by)


def set_limits(exchange: Exchange, limits: dict[str, int], by: Keypair) -> None:
    accounts = {"authority": by.pubkey(), "asset": exchange.asset_accounts(0)["asset"]}
    exchange.send("set_limits", {"limits": limits}, accounts, [by])


@pytest.fixture(params=["exchange", "oracle"])
def held(request: pytest.FixtureRequest, exchange: Exchange) -> Held:
    return Held(exchange, request.param)


def test_it_is_handed_on_when_it_was_offered_and_accepted(held: Held) -> None:
    held.offer(held.next.pubkey())
    assert (held.state()["authority"], held.state()["offered_authority"]) == (held.former.pubkey(), held.next.pubkey())
    with refused("NotAuthority"):
        held.use(held.next)
    held.use(held.former)
    held.accept(held.next)
    assert (held.state()["authority"], held.state()["offered_authority"]) == (held.next.pubkey(), SYSTEM)
    held.use(held.next)
    for attempt in (held.use, lambda signer: held.offer(held.former.pubkey(), by=signer), held.accept):
        with refused("NotAuthority"):
            attempt(held.former)


def test_nobody_else_offers_or_accepts_it(held: Held) -> None:
    with refused("NotAuthority"):
        held.offer(held.stranger.pubkey(), by=held.stranger)
    with refused("NotAuthority"):
        held.accept(held.stranger)
    held.offer(held.next.pubkey())
    for other in (held.stranger, held.former):
        with refused("NotAuthority"):
            held.accept(other)


def test_an_address_that_nobody_signs_for_locks_nothing(held: Held) -> None:
    held.offer(held.exchange.exchange)
    held.use(held.former)
    held.offer(held.next.pubkey())
    held.accept(held.next)
    held.use(held.next)


def test_the_last_offer_counts(held: Held) -> None:
    held.offer(held.stranger.pubkey())
    held.offer(held.next.pubkey())
    with refused("NotAuthority"):
        held.accept(held.stranger)
    held.offer(SYSTEM)
    with refused("NotAuthority"):
        held.accept(held.next)


def test_it_is_accepted_once(held: Held) -> None:
    held.offer(held.next.pubkey())
    held.accept(held.next)
    held.offer(held.former.pubkey(), by=held.next)
    held.accept(held.former)
    with refused("NotAuthority"):
        held.accept(held.next)


def test_it_is_not_handed_on_by_a_durable_nonce(held: Held) -> None:
    chain = held.exchange.chain
    steps = [(held.former, held.offering(held.next.pubkey(), held.former)), (held.next, held.accepting(held.next))]
    for seed, (signer, instruction) in enumerate(steps):
        drawer = Keypair.from_seed(bytes([63 + seed] * 32))
        chain.send(list(create_nonce_account(signer.pubkey(), drawer.pubkey(), signer.pubkey(), 10**9)), [signer, drawer])
        chain.svm.expire_blockhash()
        advance = advance_nonce_account({"nonce_pubkey": drawer.pubkey(), "authorized_pubkey": signer.pubkey()})
        with refused("DurableNonce"):
            chain.send([advance, instruction], [signer], budget=False)
        chain.send([instruction], [signer])
    assert held.state()["authority"] == held.next.pubkey()


def test_the_next_one_loosens_no_sooner(exchange: Exchange) -> None:
    """What was announced goes on waiting as long as it had to; what the next authority announces waits from its beginning."""
    set_limits(exchange, RAISED, exchange.authority)
    announced_at, charlie = exchange.chain.now, exchange.charlie
    exchange.chain.warp(seconds=10)
    exchange.hand_on(charlie)
    held = exchange.dex.account("Asset", exchange.chain.data(exchange.asset_accounts(0)["asset"]))
    assert (held["limits"], held["next_limits_at"]) == (LIMITS, announced_at + PARAMETERS["loosening_s"])
    set_limits(exchange, RAISED, charlie)
    held = exchange.dex.account("Asset", exchange.chain.data(exchange.asset_accounts(0)["asset"]))
    assert (held["limits"], held["next_limits_at"]) == (LIMITS, exchange.chain.now + PARAMETERS["loosening_s"])


def test_the_insurance_stays_where_it_is(exchange: Exchange) -> None:
    """Else its account would be anybody's, and the next authority's account would change without a signature."""
    founder, charlie = exchange.authority, exchange.charlie
    exchange.create_user(exchange.custodian)
    exchange.deposit(exchange.custodian, 100 * USDC)
    exchange.create_user(founder, INSURANCE)
    exchange.create_user(charlie, INSURANCE)
    exchange.hand_on(charlie)
    exchange.sub_accounts = {founder: INSURANCE, charlie: INSURANCE}
    batch = exchange.settle({exchange.custodian: [house(0, -10)], founder: [house(0, 5)], charlie: [house(0, 5)]})
    exchange.challenge(batch, founder)
    exchange.answer(batch, founder)
    exchange.challenge(batch, charlie)
    with refused("NotCustodied"):
        exchange.answer(batch, charlie)


def test_risk_goes_by_the_next_one(exchange: Exchange) -> None:
    risks, charlie = Risks(exchange), exchange.charlie
    exchange.hand_on(charlie)
    with refused("NotAuthority"):
        risks.set_limits(lots=1_000)
    risks.set_limits(lots=1_000, authority=charlie)
