"""What the chain app knows of its deployment: on or off, whose keys, which account is where."""

from pathlib import Path
from typing import Any

import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from accounts.models import Account
from chain.custody.models import ChainAccount
from chain.deployment import REFUSAL, ChainOff, DeploymentBroken, KeyMissing, WrongCluster, chain_is_on, deployment
from chain.errors import ChainUnavailable
from markets.ledger import BACKSTOP, CLEARING, FAUCET, INSURANCE
from tests.chain.deployments import write_deployment
from tests.chain.localnets import Localnet, localnet

__all__ = ["localnet"]


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.CHAIN_DIR = tmp_path / "chain"
    return tmp_path / "chain"


def test_it_is_off_without_a_file(folder: Path) -> None:
    assert not chain_is_on()
    with pytest.raises(ChainOff, match="without a chain"):
        deployment()


def test_it_is_off_with_the_reason_when_the_chain_was_refused(folder: Path) -> None:
    write_deployment(folder)
    (folder / REFUSAL).write_text("The localnet is not the one that this database settled on.\n")
    assert not chain_is_on()
    with pytest.raises(ChainOff, match="not the one"):
        deployment()


def test_it_is_read_again_when_it_appears_and_when_it_changes(folder: Path) -> None:
    with pytest.raises(ChainOff):
        deployment()
    write_deployment(folder)
    first = deployment()
    assert deployment() is first
    (folder / "deployment.json").unlink()
    write_deployment(folder, rpc_url="http://127.0.0.1:9900")
    assert deployment().rpc_url == "http://127.0.0.1:9900"


def test_it_takes_the_node_that_the_environment_names(folder: Path, settings: Any) -> None:
    write_deployment(folder)
    settings.LOCALNET, settings.SOLANA_RPC_URL = False, "https://node.example.org"
    assert deployment().rpc_url == "https://node.example.org"


def test_it_reads_the_keys_that_are_there(folder: Path) -> None:
    written = write_deployment(folder)
    keys = deployment().keys
    assert (keys.custodian, keys.settler, keys.authority) == (written["custodian"], written["settler"], written["authority"])
    assert keys.publishers == (written["publisher-1"], written["publisher-2"])
    assert keys.faucet == written["faucet"]


def test_it_names_the_key_that_a_process_has_not(folder: Path) -> None:
    write_deployment(folder)
    (folder / "settler.json").unlink()
    (folder / "faucet.json").unlink()
    with pytest.raises(KeyMissing, match="settler"):
        _ = deployment().keys.settler
    assert deployment().keys.faucet is None


def test_it_needs_no_key_that_it_does_not_use(folder: Path) -> None:
    """Whoever settles has neither the authority's key nor the publishers'."""
    written = write_deployment(folder)
    for name in ("authority", "publisher-1", "publisher-2"):
        (folder / f"{name}.json").unlink()
    assert deployment().keys.settler == written["settler"]
    with pytest.raises(KeyMissing, match="authority"):
        _ = deployment().keys.authority


def test_it_keeps_custodied_accounts_under_the_custodian_and_the_insurance_under_the_authority(folder: Path) -> None:
    written = write_deployment(folder)
    found = deployment()
    user = found.dex.user
    assert found.account_address(FAUCET) == user(written["custodian"].pubkey(), FAUCET)
    assert found.account_address(BACKSTOP) == user(written["custodian"].pubkey(), BACKSTOP)
    assert found.account_address(INSURANCE) == user(written["authority"].pubkey(), 65_535)
    assert len({found.account_address(number) for number in (FAUCET, INSURANCE, CLEARING, BACKSTOP)}) == 4


@pytest.mark.django_db
def test_it_refuses_an_account_that_no_sub_account_can_number(folder: Path) -> None:
    write_deployment(folder)
    with pytest.raises(DeploymentBroken, match="65534"):
        deployment().account_address(65_535)


@pytest.mark.django_db
def test_it_finds_a_wallets_account_where_its_owner_has_it(folder: Path) -> None:
    write_deployment(folder)
    owner = Keypair().pubkey()
    account = Account.objects.create(id=70_000, name="mine")
    ChainAccount.objects.create(account=account, owner=str(owner), address=str(deployment().dex.user(owner)))
    assert deployment().account_address(70_000) == deployment().dex.user(owner)
    assert deployment().account_address(1_000) == deployment().dex.user(deployment().custodian, 1_000)


@pytest.mark.parametrize(
    "changes",
    [
        {"programs": {"perp_dex": str(Pubkey.default()), "oracle": str(Pubkey.default())}},
        {"usdc_mint": "not an address"},
        {"genesis_hash": "short"},
        {"custodian": ""},
    ],
)
def test_it_refuses_a_broken_file(folder: Path, changes: dict[str, object]) -> None:
    write_deployment(folder, **changes)
    with pytest.raises(DeploymentBroken):
        deployment()


def test_it_talks_to_a_node_of_its_own_chain_only(folder: Path, localnet: Localnet) -> None:
    write_deployment(folder, rpc_url=localnet.url)
    with pytest.raises(WrongCluster):
        deployment().client()
    write_deployment(folder, rpc_url=localnet.url, genesis_hash=str(localnet.chain.genesis_hash))
    with deployment().client() as client:
        assert client.genesis_hash() == localnet.chain.genesis_hash


def test_it_does_not_take_a_node_that_is_not_there(folder: Path) -> None:
    write_deployment(folder, rpc_url="http://127.0.0.1:9", genesis_hash=str(Hash.default()))
    with pytest.raises(ChainUnavailable):
        deployment().client()


def test_it_links_transactions_to_its_own_pages_or_to_the_explorer_that_is_named(folder: Path) -> None:
    write_deployment(folder)
    assert deployment().transaction_url("abc") == "/chain/tx/abc/"
    write_deployment(folder, cluster="devnet", explorer_url="https://explorer.example.org/tx/{signature}?cluster={cluster}")
    assert deployment().transaction_url("abc") == "https://explorer.example.org/tx/abc?cluster=devnet"
