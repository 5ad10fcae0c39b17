"""The localnet's explorer: where the exchange stands, and single transactions, for everybody."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from solders.instruction import Instruction
from solders.signature import Signature

from chain.deployment import deployment
from chain.idl import PROGRAMS
from chain.prices import observe
from chain.setup.localnet import set_up
from markets.gateway import gateway
from markets.queries import GetMarkets
from tests.chain.deployments import write_deployment
from tests.chain.localnets import FINALIZED, Localnet
from tests.support.api import Desk, desk
from tests.support.engine import engine_process, engine_processes

__all__ = ["desk", "engine_process", "engine_processes"]


@pytest.fixture
def net(desk: Desk, tmp_path: Path, settings: Any) -> Iterator[Localnet]:
    """A localnet with an exchange on it; the test seals the blocks."""
    settings.CHAIN_DIR = tmp_path / "chain"
    net = Localnet(programs=PROGRAMS)
    stop = net.tick(slot_ms=40)
    set_up(rpc_url=net.url, folder=tmp_path / "chain", views=gateway().query(GetMarkets()), say=lambda _: None)
    stop()
    net.finalize()
    yield net
    net.end()


def shown(address: str, status: int = 200) -> str:
    page = Client().get(address)
    assert page.status_code == status, address
    return page.content.decode()


def test_it_shows_everybody_where_the_exchange_stands_and_a_transaction_in_words(net: Localnet) -> None:
    text = shown("/chain/")
    for part in ("Live", "1,000,000,000.00", str(deployment().dex.exchange), "Nothing was settled yet"):
        assert part in text, part
    assert "<html" not in shown("/chain/state/")

    (newest, *_) = net.client.get_signatures_for_address(deployment().usdc_mint, commitment=FINALIZED).value
    text = shown(f"/chain/tx/{newest.signature}/")
    for part in ("Finalized", "Deposit", "Deposited", "Custodian", "USDC vault", "Account of faucet", "1,000,000,000.000000"):
        assert part in text, part


def test_it_follows_a_transaction_from_nowhere_to_its_end(net: Localnet) -> None:
    signed = net.signed(net.rich(), observe(deployment(), 1))
    address = f"/chain/tx/{signed.signatures[0]}/"
    text = shown(address, 404)
    assert ("Not on this chain" in text, "every 2s" in text) == (True, True)
    net.client.send_raw_transaction(bytes(signed))
    net.advance(1)
    assert "not final yet" in shown(address)
    net.finalize()
    final = shown(f"{address}state/")
    assert ("Finalized" in final, "every 2s" in final) == (True, False)
    assert "every 2s" not in shown("/chain/tx/nonsense/", 404)


def test_it_says_in_the_programs_words_why_a_transaction_failed_and_when_the_node_is_away(net: Localnet) -> None:
    instruction = observe(deployment(), 1)
    wrong = Instruction(instruction.program_id, bytes(instruction.data), [*instruction.accounts[:2], observe(deployment(), 2).accounts[2]])
    signed = net.signed(net.rich(), wrong)
    net.do(lambda: net.chain.submit(signed))
    net.finalize()
    text = shown(f"/chain/tx/{signed.signatures[0]}/")
    assert ("Failed" in text, "WrongAccounts" in text) == (True, True)

    write_deployment(Path(deployment().folder), rpc_url="http://127.0.0.1:9")
    answer = Client().get(f"/chain/tx/{signed.signatures[0]}/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")


def test_it_has_no_pages_without_a_chain_or_for_another_cluster(db: None, tmp_path: Path, settings: Any) -> None:
    settings.CHAIN_DIR = tmp_path / "chain"
    for address in ("/chain/", "/chain/state/", f"/chain/tx/{Signature.default()}/"):
        assert Client().get(address).status_code == 404
    write_deployment(tmp_path / "chain", cluster="devnet")
    assert Client().get("/chain/").status_code == 404
