"""chain_setup on a localnet: from nothing to an exchange, again without change, and refused where chain and database do not belong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from solana.rpc.commitment import Confirmed
from solders.account import Account

from chain.client import ChainClient
from chain.deployment import ChainOff, chain_is_on, deployment
from chain.idl import PROGRAMS
from chain.models import OutboxShard
from chain.outbox.queue import enqueue
from chain.prices import feed_address, market_address
from chain.setup.check import problems
from chain.setup.inspection import is_governed
from chain.setup.instructions import limits_address
from chain.setup.localnet import set_up
from chain.setup.money import FIRST_STAKE_ATOMS, VOTES_ATOMS
from chain.setup.parameters import FAUCET_ATOMS
from chain.setup.refusal import ChainRefusedHere
from markets.ledger import FAUCET, INSURANCE
from markets.seed import MARKETS
from markets.units import QUOTE_ATOMS
from tests.chain.localnets import Localnet
from tests.chain.markets import views
from trading.models import Journal

pytestmark = pytest.mark.django_db
SLOT_MS = 40


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Localnet]:
    """A localnet whose blocks come by the clock."""
    net = Localnet(journal=tmp_path / "localnet" / "blocks", programs=PROGRAMS)
    stop = net.tick(slot_ms=SLOT_MS)
    yield net
    stop()
    net.end()


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.CHAIN_DIR = tmp_path / "chain"
    return tmp_path / "chain"


def begin_journal(mark: int = 1) -> None:
    """Give the database an identity, as the engine's first row does."""
    Journal.objects.create(
        seq=1, epoch=1, previous_hash=bytes(32), hash=bytes([mark] * 32), stamp_ms=1, rules_version=1, commands=0, payload=b""
    )


def run(net: Localnet, folder: Path, *, count: int = len(MARKETS), price: int = 100, whole: bool = True) -> list[str]:
    said: list[str] = []
    set_up(rpc_url=net.url, folder=folder, views=views(count=count, price=price), say=said.append, whole=whole)
    return said


def limits_of(market_id: int) -> Any:
    found = deployment()
    with found.client() as client:
        return found.risk.account("PositionLimits", client.account(limits_address(found, market_id), commitment="confirmed"))


def test_it_makes_an_exchange_that_can_settle(net: Localnet, folder: Path) -> None:
    begin_journal()
    run(net, folder)
    found = deployment()
    assert problems(found, MARKETS) == []
    assert (found.record.prices, found.record.journal) == ("simulated", bytes([1] * 32).hex())
    with found.client() as client:
        faucet = found.dex.program.account("User", client.account(found.account_address(FAUCET), commitment="confirmed"))
        insurance = found.dex.program.account("User", client.account(found.account_address(INSURANCE), commitment="confirmed"))
        vault = net.client.get_token_account_balance(found.dex.asset(found.usdc_mint)["vault"], Confirmed).value
        prices = [
            found.dex.program.account("Market", client.account(market_address(found, market.market_id), commitment="confirmed")).price_e8
            for market in MARKETS
        ]
    assert faucet.holdings.balances[0] == FAUCET_ATOMS == int(vault.amount)
    assert (insurance.owner, insurance.sub_account) == (found.authority, 65_535)
    assert prices == [100 * 10**8] * len(MARKETS)


def test_it_makes_the_insurance_fund_auctions_and_governance(net: Localnet, folder: Path) -> None:
    begin_journal()
    run(net, folder, count=1)
    found = deployment()
    with found.client() as client:
        fund = found.liquidation.account("Fund", client.account(found.liquidation.pda(b"fund"), commitment="confirmed"))
        terms = found.jit.account("Terms", client.account(found.jit.pda(b"terms"), commitment="confirmed"))
        governance = found.governance.state(client, commitment="confirmed")
        treasury = found.governance.program.pda(b"treasury", bytes(found.usdc_mint))
        assert client.account(treasury, commitment="confirmed") is not None
        assert not is_governed(found, client)
    assert (fund.assets_atoms, fund.parameters.first_ppm) == (FIRST_STAKE_ATOMS, MARKETS[0].liquidation_share_ppm)
    assert terms.mint == found.usdc_mint
    assert (str(governance.stake_mint), governance.parameters.quorum_atoms) == (found.record.stake_mint, VOTES_ATOMS // 50)


def test_it_tells_each_markets_limits_as_the_engine_has_them(net: Localnet, folder: Path) -> None:
    begin_journal()
    run(net, folder, count=2)
    market = MARKETS[1]
    lot_atoms = market.lot_e8 * 100 * QUOTE_ATOMS // 10**8  # at a hundred dollars
    limits = limits_of(2).limits
    assert (limits.max_position_lots, limits.concentration_ppm) == (market.max_position_lots, market.concentration_ppm)
    assert limits.concentration_from_atoms == market.concentration_from_lots * lot_atoms


def test_it_adds_what_an_older_version_did_not_make(net: Localnet, folder: Path) -> None:
    begin_journal()
    run(net, folder, count=2, whole=False)
    assert run(net, folder, count=2) == ["test votes …", "governance …", "limits, insurance fund, auctions, treasury …", "first stake …"]
    assert limits_of(1).limits.max_position_lots == 0
    assert limits_of(1).next_limits.max_position_lots == MARKETS[0].max_position_lots  # looser than nothing: it waits
    assert run(net, folder, count=2) == []
    assert run(net, folder, count=2, price=140) == ["limits …"]  # what is told in money follows the price


def test_it_keeps_its_keys_to_itself(net: Localnet, folder: Path) -> None:
    begin_journal()
    run(net, folder, count=1)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_it_changes_nothing_when_it_is_run_again_and_adds_what_came_later(net: Localnet, folder: Path) -> None:
    begin_journal()
    run(net, folder, count=2)
    first = deployment().record
    sent = net.do(lambda: len(net.chain.history))
    assert run(net, folder, count=2) == []
    assert net.do(lambda: len(net.chain.history)) - sent <= 1  # prices alone
    assert deployment().record == first
    assert run(net, folder, count=3) == ["feeds …", f"{MARKETS[2].symbol} …"]


def test_it_goes_on_where_a_kill_left_it(net: Localnet, folder: Path) -> None:
    begin_journal()
    run(net, folder, count=1)
    (folder / "deployment.json").unlink()
    assert not chain_is_on()
    assert run(net, folder, count=1) == []
    assert problems(deployment(), MARKETS[:1]) == []


def test_it_refuses_a_chain_that_was_lost_or_replaced(net: Localnet, folder: Path, tmp_path: Path) -> None:
    begin_journal()
    run(net, folder, count=1)
    other = Localnet(programs=PROGRAMS)
    try:
        with pytest.raises(ChainRefusedHere, match="lost or replaced"):
            run(other, folder)
    finally:
        other.end()
    assert not chain_is_on()
    with pytest.raises(ChainOff, match="lost or replaced"):
        deployment()
    run(net, folder, count=1)
    assert chain_is_on()


def test_it_refuses_a_chain_of_another_database(net: Localnet, folder: Path) -> None:
    begin_journal()
    run(net, folder, count=1)
    Journal.objects.update(hash=bytes([2] * 32))
    with pytest.raises(ChainRefusedHere, match="another database"):
        run(net, folder)


def test_it_refuses_an_empty_chain_for_a_database_that_settled_before(net: Localnet, folder: Path) -> None:
    enqueue(shard="batches", payload=b"settled long ago")
    assert OutboxShard.objects.count() == 1
    with pytest.raises(ChainRefusedHere, match="data is gone"):
        run(net, folder)


@pytest.mark.parametrize("gap", [slice(50, None), slice(40, 104)], ids=["shorter", "as of old"])
def test_it_refuses_accounts_of_another_version_of_the_programs(net: Localnet, folder: Path, gap: slice) -> None:
    begin_journal()
    run(net, folder, count=1)
    key = deployment().dex.exchange

    def shorten() -> None:
        account = net.chain.bank.account(key)
        assert account is not None
        data = bytearray(account.data)
        del data[gap]
        short = Account(account.lamports, bytes(data), account.owner)
        net.chain.accounts.write(key, short, slot=net.chain.open.slot, final_slot=0)
        net.chain.bank.put(key, short)
        net.chain.advance(2)

    net.do(shorten)
    with pytest.raises(ChainRefusedHere, match="another version of the programs"):
        run(net, folder, count=1)
    assert not chain_is_on()


def test_it_finds_what_differs_from_the_engine(net: Localnet, folder: Path) -> None:
    begin_journal()
    run(net, folder, count=2)
    found = deployment()
    assert problems(found, [MARKETS[0], MARKETS[2]]) == ["SOL-PERP: there is no market 3 on chain."]
    with ChainClient(net.url) as client:
        assert client.account(feed_address(found, 3), commitment="confirmed") is None
