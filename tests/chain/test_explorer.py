"""The localnet's explorer: where the exchange stands, and single transactions, for everybody."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from solders.instruction import Instruction
from solders.keypair import Keypair
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


def send(net: Localnet, payer: Keypair, *instructions: Instruction) -> Signature:
    return net.client.send_raw_transaction(bytes(net.signed(payer, *instructions))).value


def test_it_shows_everybody_where_the_exchange_stands(net: Localnet) -> None:
    page = Client().get("/chain/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "Live" in text
    assert "1,000,000,000.00" in text  # what the faucet was given
    assert str(deployment().dex.exchange) in text
    assert "Nothing was settled yet" in text
    assert "<html" not in Client().get("/chain/state/").content.decode()


def test_it_reads_a_transaction_in_words(net: Localnet) -> None:
    mint = deployment().usdc_mint
    (newest, *_) = net.client.get_signatures_for_address(mint, commitment=FINALIZED).value
    page = Client().get(f"/chain/tx/{newest.signature}/")
    text = page.content.decode()
    assert page.status_code == 200
    for part in ("Finalized", "Deposit", "Deposited", "Custodian", "USDC vault", "Account of faucet", "1,000,000,000.000000"):
        assert part in text, part


def test_it_waits_for_a_transaction_and_says_when_it_is_final(net: Localnet) -> None:
    payer = net.rich()
    signature = send(net, payer, observe(deployment(), 1))
    net.advance(1)
    assert "not final yet" in Client().get(f"/chain/tx/{signature}/").content.decode()
    net.finalize()
    final = Client().get(f"/chain/tx/{signature}/state/").content.decode()
    assert "Finalized" in final
    assert "every 2s" not in final


def test_it_says_in_the_programs_words_why_a_transaction_failed(net: Localnet) -> None:
    instruction = observe(deployment(), 1)
    wrong = Instruction(instruction.program_id, bytes(instruction.data), [*instruction.accounts[:2], observe(deployment(), 2).accounts[2]])
    signed = net.signed(net.rich(), wrong)
    net.do(lambda: net.chain.submit(signed))
    net.finalize()
    text = Client().get(f"/chain/tx/{signed.signatures[0]}/").content.decode()
    assert "Failed" in text
    assert "WrongAccounts" in text


def test_it_looks_again_for_what_it_does_not_find(net: Localnet) -> None:
    page = Client().get(f"/chain/tx/{Signature.default()}/")
    assert page.status_code == 404
    assert "Not on this chain" in page.content.decode()
    assert "every 2s" in page.content.decode()
    assert Client().get("/chain/tx/nonsense/").status_code == 404


def test_it_has_no_pages_without_a_chain_or_for_another_cluster(db: None, tmp_path: Path, settings: Any) -> None:
    settings.CHAIN_DIR = tmp_path / "chain"
    for address in ("/chain/", "/chain/state/", f"/chain/tx/{Signature.default()}/"):
        assert Client().get(address).status_code == 404
    write_deployment(tmp_path / "chain", cluster="devnet")
    assert Client().get("/chain/").status_code == 404


def test_it_asks_to_come_back_while_the_node_is_away(net: Localnet) -> None:
    net.client.is_connected()
    write_deployment(Path(deployment().folder), rpc_url="http://127.0.0.1:9")
    answer = Client().get(f"/chain/tx/{Signature.default()}/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
