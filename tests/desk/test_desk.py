"""The desk as a person runs it: real servers, real processes, signals."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from quantdesk.desk.register import started
from quantdesk.embedded.addresses import postgres_url, valkey_socket
from quantdesk.embedded.places import postgres_home
from quantdesk.embedded.roles import APPLICATION, OWNER, READER
from tests.desk.desk_process import PATIENCE_S, WELCOME, DeskProcess, process_is_alive

ROLES = {"engine", "projector", "web", "worker", "oracle", "makers", "localnet", "chain"}


@pytest.fixture(scope="module")
def desk() -> Iterator[DeskProcess]:
    process = DeskProcess()
    process.start()
    try:
        process.wait_for(WELCOME)
        yield process
    finally:
        process.remove()


@pytest.fixture
def own_desk() -> Iterator[DeskProcess]:
    process = DeskProcess()
    try:
        yield process
    finally:
        process.remove()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)  # processes of others give no event to wait for


def test_it_serves_the_trade_page_and_says_so(desk: DeskProcess) -> None:
    assert f"http://127.0.0.1:{desk.port}/trade/BTC-PERP/" in "".join(desk.lines)
    status, page = desk.get("/trade/BTC-PERP/")
    assert (status, "BTC-PERP" in page) == (200, True)
    assert desk.get("/healthz") == (200, '{"status": "ok"}')
    status, body = desk.get("/readyz")
    assert (status, json.loads(body)["status"]) == (200, "ready")
    assert "django_http_requests" in desk.get("/metrics")[1]


def test_it_settles_on_its_chain(desk: DeskProcess) -> None:
    """The localnet, its set-up, the schedule, the chain's worker, prices and settlement: all of it has to work for one batch."""
    wait_until(lambda: "Can be challenged" in desk.get("/chain/state/")[1], "no batch came on chain")
    wait_until(lambda: "Stale" not in desk.get("/chain/")[1], "no price of each market came on chain")
    page = desk.get("/chain/")[1]
    assert all(f"{asset}-PERP" in page for asset in ("BTC", "ETH", "SOL", "AVAX", "LINK", "DOGE", "XRP", "SUI"))


def test_it_prints_two_traders_with_balances_and_the_staff(desk: DeskProcess) -> None:
    passwords = dict(line.split() for line in (desk.data_dir / "credentials").read_text().splitlines()[1:])
    for name in ("alice", "bob"):
        line = desk.wait_for(name).split(maxsplit=2)
        assert line[:2] == [name, passwords[name]]
        assert line[2].strip() == "10,000.00 USDC, 1.00 BTC, 10.00 ETH, 100.00 SOL, 10,000.00 USDT"
    assert passwords["staff"] in desk.wait_for("staff")


def test_it_keeps_secrets_and_sockets_to_their_owner(desk: DeskProcess) -> None:
    private = [desk.data_dir / "credentials", desk.data_dir / "makers.json", *(desk.data_dir / "secrets").iterdir()]
    assert {path.name: path.stat().st_mode & 0o077 for path in private} == {path.name: 0 for path in private}
    assert valkey_socket(desk.data_dir).stat().st_mode & 0o077 == 0
    for folder in ("secrets", "logs", "valkey", "run"):
        assert (desk.data_dir / folder).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        (APPLICATION, "UPDATE trading_journal SET epoch = 0"),
        (APPLICATION, "DELETE FROM trading_journal"),
        (APPLICATION, "DELETE FROM trading_journal_default"),
        (APPLICATION, "UPDATE accounts_ledgertransfer SET amount_atoms = 1"),
        (APPLICATION, "CREATE TABLE mine (id int)"),
        (APPLICATION, "DROP TABLE trading_order"),
        (READER, "SELECT * FROM accounts_user"),
        (READER, "SELECT * FROM accounts_apikey"),
        (READER, "SELECT * FROM django_session"),
        (READER, "INSERT INTO django_migrations VALUES (0, '', '', now())"),
    ],
)
def test_it_gives_each_role_only_the_rights_it_needs(desk: DeskProcess, role: str, statement: str) -> None:
    with psycopg.connect(postgres_url(desk.data_dir, role)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_it_lets_the_application_write_and_the_reader_read(desk: DeskProcess) -> None:
    for role, statement in ((APPLICATION, "DELETE FROM django_session"), (READER, "SELECT count(*) FROM trading_order")):
        with psycopg.connect(postgres_url(desk.data_dir, role)) as connection:
            connection.execute(statement)


def test_it_asks_for_a_password(desk: DeskProcess) -> None:
    url = postgres_url(desk.data_dir, OWNER)
    secret = (desk.data_dir / "secrets" / OWNER).read_text()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(secret, "guess"))


def test_it_refuses_a_second_desk_in_the_same_folder(desk: DeskProcess) -> None:
    result = desk.run()
    assert result.returncode == 1
    assert (
        result.stderr == f"CommandError: a desk is already running here (process {desk.process.pid}); stop it, or choose another DATA_DIR\n"
    )


@pytest.mark.parametrize("role", ["engine", "projector", "web", "worker", "oracle", "localnet", "chain"])
def test_it_starts_a_child_again_that_was_killed(desk: DeskProcess, role: str) -> None:
    before = desk.children()
    os.kill(before[role], signal.SIGKILL)
    desk.wait_for(f"{role} ended (SIGKILL) and starts again now")
    wait_until(lambda: desk.children()[role] != before[role], f"{role} did not start again")
    wait_until(lambda: desk.get("/readyz")[0] == 200, "the exchange did not become ready again")
    assert {name: pid for name, pid in desk.children().items() if name not in (role, "makers")} == {
        name: pid for name, pid in before.items() if name not in (role, "makers")
    }


@pytest.mark.parametrize("server", ["Valkey", "PostgreSQL"])
def test_it_starts_a_server_again_that_was_killed(desk: DeskProcess, server: str) -> None:
    pid_files = {"Valkey": desk.data_dir / "valkey" / "valkey.pid", "PostgreSQL": postgres_home(desk.data_dir) / "data" / "postmaster.pid"}
    os.kill(int(pid_files[server].read_text().split()[0]), signal.SIGKILL)
    desk.wait_for(f"{server} ended and was started again")
    wait_until(lambda: desk.get("/readyz")[0] == 200, "the exchange did not become ready again")


def test_it_stops_while_it_is_starting(own_desk: DeskProcess) -> None:
    own_desk.start()
    own_desk.wait_for("PostgreSQL and Valkey")
    family = own_desk.family()
    assert own_desk.interrupt() == 0
    assert [pid for pid in family if process_is_alive(pid)] == []


def test_it_recovers_from_its_own_death_then_leaves_nothing_behind_on_ctrl_c_and_starts_afresh_on_reset(own_desk: DeskProcess) -> None:
    own_desk.start()
    own_desk.wait_for(WELCOME)
    family, logins = own_desk.family(), (own_desk.data_dir / "credentials").read_text()
    own_desk.kill()
    wait_until(lambda: not any(map(process_is_alive, family)), "children outlived a killed desk")

    # Where the system does not end orphans by itself, the next start does: a stand-in plays one, and a number was used again.
    orphan = os.posix_spawn("/bin/sleep", ["sleep", "600"], {})
    own_desk.note_children({"engine": {"pid": orphan, "started": started(orphan)}, "web": {"pid": os.getpid(), "started": "another"}})
    own_desk.start()
    own_desk.wait_for("Ended what an earlier desk left behind: engine")
    assert os.waitstatus_to_exitcode(os.waitpid(orphan, 0)[1]) == -signal.SIGKILL

    own_desk.wait_for(WELCOME)
    assert (own_desk.data_dir / "credentials").read_text() == logins
    assert own_desk.children().keys() == ROLES
    family = own_desk.family()
    assert len(family) > len(ROLES)
    assert own_desk.interrupt() == 0
    assert own_desk.lines[-1] == "Stopped.\n"
    assert [pid for pid in family if process_is_alive(pid)] == []

    (own_desk.data_dir / "snapshots" / "mark").touch()
    own_desk.start("--reset")
    own_desk.wait_for(WELCOME)
    assert (own_desk.data_dir / "credentials").read_text() != logins
    assert not (own_desk.data_dir / "snapshots" / "mark").exists()


def test_it_goes_on_without_a_chain_that_is_not_wanted_or_not_its_own(own_desk: DeskProcess) -> None:
    own_desk.start("--no-chain")
    own_desk.wait_for(WELCOME)
    assert own_desk.children().keys() == ROLES - {"localnet", "chain"}
    status, page = own_desk.get("/chain/")
    assert (status, "--no-chain" in page) == (404, True)
    assert own_desk.interrupt() == 0

    own_desk.start()
    own_desk.wait_for(WELCOME)
    assert own_desk.children().keys() == ROLES
    port = (own_desk.data_dir / "localnet" / "port").read_text()
    assert own_desk.interrupt() == 0

    (own_desk.data_dir / "localnet" / "blocks").unlink()
    own_desk.start()
    assert "its data was lost or replaced" in own_desk.wait_for("The exchange goes on without its chain")
    own_desk.wait_for(WELCOME)
    assert own_desk.children().keys() == ROLES - {"chain"}
    assert (own_desk.data_dir / "localnet" / "port").read_text() == port
    status, page = own_desk.get("/chain/")
    assert (status, "its data was lost or replaced" in page) == (404, True)


def test_it_ends_with_a_reason_when_its_engine_cannot_use_the_data(own_desk: DeskProcess) -> None:
    """A journal of other rules, or one that was changed: starting the engine again and again would say nothing to anybody."""
    own_desk.start()
    own_desk.wait_for(WELCOME)
    with psycopg.connect(postgres_url(own_desk.data_dir, OWNER)) as connection:
        connection.execute("ALTER TABLE trading_journal DISABLE TRIGGER USER")
        connection.execute("UPDATE trading_journal SET stamp_ms = stamp_ms + 1")
        connection.execute("DELETE FROM trading_snapshot")
    os.kill(own_desk.children()["engine"], signal.SIGKILL)
    assert "journal row 1 has been changed" in own_desk.wait_for("start afresh: --reset")
    assert own_desk.process.wait(PATIENCE_S) == 1


def test_it_says_when_its_port_is_taken(desk: DeskProcess, own_desk: DeskProcess) -> None:
    own_desk.port = desk.port
    result = own_desk.run()
    assert result.returncode == 1
    expected = f"CommandError: port {desk.port} cannot be used (address already in use); choose another: bin/run --port {desk.port + 1}\n"
    assert result.stderr == expected


def test_it_refuses_to_reset_servers_that_are_not_its_own(own_desk: DeskProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = own_desk.environment | {"DATABASE_URL": os.environ["DATABASE_URL"], "REDIS_URL": os.environ["REDIS_URL"]}
    monkeypatch.setattr(DeskProcess, "environment", environment)
    result = own_desk.run("--reset")
    assert result.returncode == 1
    assert "empty the database of DATABASE_URL yourself" in result.stderr
