"""chain_setup on a cluster that is not its own, played by a second localnet, with programs under the operator's addresses."""

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from solders.account import Account
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.instructions import get_associated_token_address

from chain.client import ChainClient
from chain.deployment import KeyMissing, deployment
from chain.idl import AnchorProgram
from chain.prices import market_address
from chain.setup import cluster
from chain.setup.check import problems
from chain.setup.code import CODE_AT, LOADER, PROGRAM, PROGRAM_DATA, code_address, read_program
from chain.setup.inspection import is_governed
from chain.setup.refusal import ChainRefusedHere
from chain.setup.sender import Task, send_all
from chain.setup.terms import LOCALNET_TERMS, PRODUCTION_TERMS
from markets.seed import MARKETS
from tests.chain.localnets import SOL, Localnet
from tests.chain.markets import views
from tests.chain.minting import Mint
from tests.chain.relocation import relocate
from tests.chain.test_setup import begin_journal
from tests.support.engine import EngineProcesses, engine_process, engine_processes

__all__ = ["engine_process", "engine_processes"]
pytestmark = pytest.mark.django_db
SLOT_MS = 20
OPERATORS = ("authority", "settler", "custodian", "publisher-1", "publisher-2", "guardian")


class Operator:
    """Programs of his own on a cluster, a token, and a folder of keys; only the authority's and the programs' keys are here."""

    def __init__(self, folder: Path) -> None:
        self.programs, self.keys = folder / "programs", folder / "keys"
        program_keys = relocate(self.programs)
        self.net = Localnet(programs=self.programs)
        self.client = ChainClient(self.net.url, retry_after_s=())
        self.people = {name: self.net.rich() for name in OPERATORS}
        self.mint = Mint(self.net, self.people["authority"])
        self.votes = Mint(self.net, self.people["authority"])
        self.votes.open(self.people["authority"].pubkey(), 10**12)
        self.usdc = self.mint.open(self.people["authority"].pubkey(), 10**9)
        self.keys.mkdir()
        self.write("authority.json", self.people["authority"].to_json())
        for name in OPERATORS[1:]:
            self.write(f"{name}.pub", str(self.people[name].pubkey()))
        for name, key in program_keys.items():
            self.write(f"program-{name}.json", key.to_json())

    def write(self, name: str, text: str) -> None:
        path = self.keys / name
        path.touch(mode=0o600)
        path.write_text(text)

    def order(self, **changes: Any) -> cluster.Order:
        order = cluster.Order(
            cluster="played",
            genesis_hash=str(self.client.genesis_hash()),
            rpc_url=self.net.url,
            usdc_mint=self.mint.key,
            keys=self.keys,
            stake_mint=self.votes.key,
        )
        return replace(order, **changes)

    def put(self, key: Pubkey, account: Account) -> None:
        """Have the cluster hold an account as it is given."""

        def write() -> None:
            self.net.chain.accounts.write(key, account, slot=self.net.chain.open.slot, final_slot=0)
            self.net.chain.bank.put(key, account)

        self.net.do(write)
        self.net.finalize()


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    operator = Operator(tmp_path_factory.mktemp("operator"))
    yield operator
    operator.client.close()
    operator.net.end()


@pytest.fixture
def folder(operator: Operator, tmp_path: Path, settings: Any) -> Path:
    settings.CHAIN_PROGRAMS, settings.CHAIN_DIR = operator.programs, tmp_path / "chain"
    begin_journal()
    return tmp_path / "chain"


def plan(operator: Operator, folder: Path, *, count: int = 2, **changes: Any) -> cluster.Plan:
    return cluster.prepare(client=operator.client, order=operator.order(**changes), views=views(count=count), folder=folder)


def test_it_looks_and_changes_nothing(operator: Operator, folder: Path) -> None:
    before = operator.net.do(lambda: len(operator.net.chain.history))
    found = plan(operator, folder, insurance_atoms=10**8)
    assert found.problems == []
    assert [task.title for task in found.tasks][:3] == ["oracle", "exchange", "feeds"]
    assert f"{found.cost_lamports / SOL:.6f} SOL" in "\n".join(found.lines())
    assert operator.net.do(lambda: len(operator.net.chain.history)) == before
    assert not folder.exists()


def test_it_tells_its_plan_from_the_command_line_and_waits_for_a_yes(
    operator: Operator, engine_process: EngineProcesses, tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.CHAIN_PROGRAMS, settings.CHAIN_DIR = operator.programs, tmp_path / "chain"
    order = operator.order()
    told = {"--cluster": order.cluster, "--genesis-hash": order.genesis_hash, "--rpc-url": order.rpc_url, "--usdc-mint": order.usdc_mint}
    words = [str(word) for pair in told.items() for word in pair]
    with pytest.raises(CommandError, match="--cluster played takes --keys, too"):
        call_command("chain_setup", *words)
    call_command("chain_setup", *words, "--keys", str(operator.keys))
    shown = capsys.readouterr().out
    for part in (str(AnchorProgram("perp_dex").id), "settler", "SUI-PERP", "Nothing was sent. With --yes it is."):
        assert part in shown, part
    assert not (tmp_path / "chain").exists()


def test_it_refuses_another_cluster_than_the_one_that_was_named(operator: Operator, folder: Path) -> None:
    with pytest.raises(ChainRefusedHere, match="and not devnet"):
        plan(operator, folder, cluster="devnet", genesis_hash=cluster.GENESIS["devnet"])


def test_it_refuses_a_localnets_terms(operator: Operator, folder: Path) -> None:
    with pytest.raises(ChainRefusedHere, match="challenge_window_s is 20, and not 43,200 or more"):
        cluster.prepare(client=operator.client, order=operator.order(), views=views(count=1), folder=folder, terms=LOCALNET_TERMS)


def test_it_refuses_programs_whose_keys_everybody_can_make(operator: Operator, folder: Path, settings: Any) -> None:
    settings.CHAIN_PROGRAMS = Path(cluster.__file__).parents[1] / "programs"
    with pytest.raises(ChainRefusedHere) as refused:
        plan(operator, folder)
    assert refused.value.message.count("whose key everybody can make") == 6


def test_it_refuses_key_files_that_others_can_read_or_that_are_not_there(operator: Operator, folder: Path) -> None:
    path = operator.keys / "authority.json"
    path.chmod(0o640)
    with pytest.raises(KeyMissing, match="mode 640"):
        plan(operator, folder)
    path.rename(operator.keys / "elsewhere.json")
    with pytest.raises(KeyMissing, match=r"no key file .*authority\.json"):
        plan(operator, folder)
    (operator.keys / "elsewhere.json").rename(path)
    path.chmod(0o600)
    assert plan(operator, folder).problems == []


def test_it_names_what_else_speaks_against_it(operator: Operator, folder: Path) -> None:
    """A token of other decimals, none at all, too little SOL, too few publishers, no money for the insurance."""
    account = operator.client.account(operator.mint.key, commitment="confirmed")
    assert account is not None
    odd, poor = Keypair().pubkey(), Keypair()
    data = bytearray(account.data)
    data[44] = 9
    operator.put(odd, Account(account.lamports, bytes(data), account.owner))
    (operator.keys / "settler.pub").write_text(str(poor.pubkey()))
    (operator.keys / "publisher-2.pub").rename(operator.keys / "second.pub")
    against = plan(operator, folder, usdc_mint=odd, stake_mint=poor.pubkey(), insurance_atoms=10**12)
    with pytest.raises(ChainRefusedHere, match="Nothing was sent"):
        cluster.carry_out(against, say=print)
    found = against.problems
    (operator.keys / "second.pub").rename(operator.keys / "publisher-2.pub")
    (operator.keys / "settler.pub").write_text(str(operator.people["settler"].pubkey()))
    for part in ("has 9 decimals", "is no token", "settler", "There are 1 publishers", "less USDC"):
        assert any(part in line for line in found), part


def test_it_compares_the_code_of_an_upgradeable_program(operator: Operator, folder: Path) -> None:
    """Deployed by the upgradeable loader: the code lies in an account of its own, filled up with zeros; who may upgrade it is told."""
    address, code = AnchorProgram("jit").id, (operator.programs / "jit.so").read_bytes()
    before = operator.client.account(address, commitment="confirmed")
    assert before is not None
    place, authority = code_address(address), operator.people["authority"].pubkey()
    head = struct.pack("<IQB", PROGRAM_DATA, 0, 1) + bytes(authority)
    assert len(head) == CODE_AT
    operator.put(place, Account(10**11, head + code + bytes(64), LOADER))
    operator.put(address, Account(10**10, struct.pack("<I", PROGRAM) + bytes(place), LOADER, executable=True))
    found = plan(operator, folder)
    assert found.problems == []
    assert f"upgraded by {authority}" in "\n".join(found.lines())

    operator.put(place, Account(10**11, head + code[:-1] + bytes([code[-1] ^ 1]) + bytes(64), LOADER))
    with pytest.raises(ChainRefusedHere, match=r"jit: the code at .* is another"):
        plan(operator, folder)
    operator.put(place, Account(10**11, head + code, LOADER))


def test_it_is_killed_goes_on_and_costs_what_it_said(operator: Operator, folder: Path) -> None:
    stop = operator.net.tick(slot_ms=SLOT_MS)
    try:
        first = plan(operator, folder, insurance_atoms=10**8)
        before = operator.client.balance(operator.people["authority"].pubkey())
        with pytest.raises(KeyboardInterrupt):
            cluster.carry_out(first, say=Killer(at=3))
        assert not (folder / "deployment.json").exists()
        rest = plan(operator, folder, insurance_atoms=10**8)
        assert 0 < len(rest.tasks) < len(first.tasks)
        found = cluster.carry_out(rest, say=lambda _: None)
        assert before - operator.client.balance(operator.people["authority"].pubkey()) == first.cost_lamports
        assert plan(operator, folder, insurance_atoms=10**8).tasks == []
    finally:
        stop()
    operator.net.finalize()
    assert {path.name for path in folder.iterdir()} == {"deployment.json"}  # keys stay where the operator has them
    assert deployment().record == found.record
    exchange = found.dex.read_exchange(operator.client, commitment="finalized")
    assert {name: getattr(exchange.parameters, name) for name in PRODUCTION_TERMS.exchange} == PRODUCTION_TERMS.exchange
    assert problems(found, MARKETS[:2]) == []
    assert operator.mint.balance(operator.usdc) == 10**9 - 10**8

    assert plan(operator, folder, stake_mint=None).site.deployment.record == found.record
    more = plan(operator, folder, count=3)  # a market that came later
    assert [task.title for task in more.tasks] == ["feeds", MARKETS[2].symbol]
    assert operator.client.account(market_address(found, 3), commitment="confirmed") is None


def test_it_refuses_an_exchange_that_began_with_other_terms_or_people(operator: Operator, folder: Path) -> None:
    chain = plan(operator, folder).site.deployment
    account = operator.client.account(chain.dex.exchange, commitment="confirmed")
    assert account is not None
    day = struct.pack("<q", PRODUCTION_TERMS.exchange["challenge_window_s"])
    short = Account(account.lamports, bytes(account.data).replace(day, struct.pack("<q", 20), 1), account.owner)
    operator.put(chain.dex.exchange, short)
    for name in ("custodian", "publisher-1"):
        (operator.keys / f"{name}.pub").write_text(str(operator.people["guardian"].pubkey()))
    found = plan(operator, folder, usdc_mint=operator.votes.key).problems
    operator.put(chain.dex.exchange, account)
    for name in ("custodian", "publisher-1"):
        (operator.keys / f"{name}.pub").write_text(str(operator.people[name].pubkey()))
    for part in (
        "too short to hold others' money: challenge_window_s is 20",
        "custodian is",
        "settles in another token",
        "BTC-PERP: its feed takes prices of other publishers",
    ):
        assert any(part in line for line in found), part


def test_it_hands_exchange_oracle_and_code_over_once_there_is_stake_enough(operator: Operator, folder: Path) -> None:
    first = plan(operator, folder, govern=True)
    assert any("not enough stake" in line for line in first.problems)
    chain, authority = first.site.deployment, operator.people["authority"]
    source = get_associated_token_address(authority.pubkey(), operator.votes.key)
    stop = operator.net.tick(slot_ms=SLOT_MS)
    try:
        staked = chain.governance.lock_stake(owner=authority.pubkey(), source=source, amount_atoms=10**12)
        send_all(operator.client, [Task(title="stake", keys=(authority,), instructions=[staked])])
        second = plan(operator, folder, govern=True)
        assert [task.title for task in second.tasks] == [
            "governance's rents", "oracle handed over", "perp_dex handed over", "upgrades of jit",
        ]  # fmt: skip
        before = operator.client.balance(authority.pubkey())
        cluster.carry_out(second, say=lambda _: None)
        assert before - operator.client.balance(authority.pubkey()) == second.cost_lamports
        done = plan(operator, folder, govern=True, count=3)
    finally:
        stop()
    assert (done.tasks, done.problems) == ([], [])
    assert is_governed(chain, operator.client)
    assert f"{MARKETS[2].symbol}: by a proposal" in "\n".join(done.lines())
    code = read_program(operator.client, "jit")
    assert code is not None
    assert code.upgrades == chain.governance.authority


class Killer:
    """Ends the set-up before a stage is sent, as a kill does."""

    def __init__(self, *, at: int) -> None:
        self.left = at

    def __call__(self, _text: str) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
