"""What a new exchange starts with. Every step looks first, so that running it again changes nothing."""

import json
import secrets
import time
from pathlib import Path

from accounts.models import Account, ApiKey, User
from accounts.selectors import default_account
from accounts.services import api_key_create, user_register
from markets.commands import AdjustBalance, AnyCommand, CreateMarket, Deposit, SetAsset
from markets.errors import EngineBusy, EngineUnavailable, OutcomeUnknown, Refused
from markets.gateway import gateway
from markets.ledger import BACKSTOP, FAUCET, INSURANCE, NAMES
from markets.queries import GetAccount, GetAssets, GetMarkets
from markets.seed import ASSETS, MARKETS
from markets.units import QUOTE_ATOMS, QUOTE_DECIMALS, decimal_from_atoms
from markets.views import MarketView
from quantdesk.desk.credentials import STAFF, TRADERS, Credentials
from quantdesk.embedded.secret import write_private

ENGINE_TIMEOUT_S = 60.0
MAKERS = ("maker-1", "maker-2", "taker-1")
MAKER_ATOMS = 1_000_000 * QUOTE_ATOMS
BACKSTOP_ATOMS = 5_000_000 * QUOTE_ATOMS
INSURANCE_ATOMS = 1_000_000 * QUOTE_ATOMS
DEMO_COLLATERAL = (("BTC", 10**8), ("ETH", 10 * 10**8), ("SOL", 100 * 10**9), ("USDT", 10_000 * 10**6))
BALANCES = "balances.json"
MAKER_KEYS = "makers.json"


def create_markets() -> None:
    known = {view.parameters.market_id for view in wait_for_markets()}
    for parameters in MARKETS:
        if parameters.market_id not in known:
            submit(CreateMarket(parameters=parameters, author="seed"))


def create_assets() -> None:
    """Admit the collateral assets that the exchange does not know; those that it knows keep what staff made of them."""
    known = {view.parameters.asset for view in gateway().query(GetAssets())}
    for parameters in ASSETS:
        if parameters.asset not in known:
            submit(SetAsset(parameters=parameters, author="seed"))


def fund(account_id: int, amount_atoms: int) -> None:
    """Give demo money to one of the exchange's own funds that has never had any."""
    view = gateway().query(GetAccount(account_id=account_id))
    if view is None or view.seq == 0:
        reason = f"demo capital of the {NAMES[account_id]}"
        submit(
            AdjustBalance(
                debit_account_id=FAUCET, credit_account_id=account_id, asset="USDC", amount_atoms=amount_atoms, reason=reason, author="seed"
            )
        )


def submit(command: AnyCommand) -> None:
    reply = gateway().submit(command)
    if reply.reject:
        raise Refused(reply.reject)


def wait_for_markets() -> list[MarketView]:
    """Ask the engine, which may just be starting."""
    deadline = time.monotonic() + ENGINE_TIMEOUT_S
    while True:
        try:
            return gateway().query(GetMarkets())
        except (EngineUnavailable, EngineBusy, OutcomeUnknown):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def create_demo(data_dir: Path) -> None:
    """Create funds, traders, staff and makers; leave the traders' balances and the makers' keys in the data folder."""
    fund(BACKSTOP, BACKSTOP_ATOMS)
    fund(INSURANCE, INSURANCE_ATOMS)
    credentials = Credentials.load(data_dir)
    traders = [ensure_trader(name, credentials) for name in TRADERS]
    if not User.objects.filter(username=STAFF).exists():
        User.objects.create_superuser(username=STAFF, password=credentials.passwords[STAFF])
    for name in credentials.made:
        set_password(name, credentials.passwords[name])
    balances = {user.username: balance(default_account(user)) for user in traders}
    write_private(data_dir / BALANCES, json.dumps(balances))
    ensure_makers(data_dir / MAKER_KEYS)


def ensure_trader(username: str, credentials: Credentials) -> User:
    user = User.objects.filter(username=username).first()
    user = user or user_register(username=username, password=credentials.passwords[username])
    give_collateral(default_account(user))
    return user


def give_collateral(account: Account) -> None:
    """Deposit the demo collateral once: an account that has some of an asset, or has had, is left as it is."""
    view = gateway().query(GetAccount(account_id=account.id))
    for asset, amount in DEMO_COLLATERAL if view and set(view.balances) <= {"USDC"} else ():
        reply = gateway().submit(Deposit(account_id=account.id, asset=asset, amount_atoms=amount, number=0, source_account_id=FAUCET))
        if reply.reject and reply.reject.code == "OUT_OF_SEQUENCE":
            number = int(reply.reject.data["last_number"]) + 1
            submit(Deposit(account_id=account.id, asset=asset, amount_atoms=amount, number=number, source_account_id=FAUCET))


def set_password(username: str, password: str) -> None:
    """Make a user's password what the file says, where the file is newer than the user."""
    user = User.objects.get(username=username)
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])


def balance(account: Account) -> str:
    """Say what an account has, USDC first: its worth waits for prices, which come after the seed."""
    view = gateway().query(GetAccount(account_id=account.id))
    decimals = {"USDC": QUOTE_DECIMALS} | {parameters.asset: parameters.decimals for parameters in ASSETS}
    amounts = view.balances if view else {"USDC": 0}
    first = sorted((asset for asset in amounts if asset in decimals), key=lambda asset: (asset != "USDC", asset))
    return ", ".join(f"{decimal_from_atoms(amounts[asset], decimals[asset]):,.2f} {asset}" for asset in first)


def ensure_makers(path: Path) -> None:
    """Register the makers' accounts with keys, unless the file's keys are all there."""
    known = json.loads(path.read_text()) if path.exists() else {}
    live = set(
        ApiKey.objects.filter(revoked_at=None, key_id__in=[entry["key"] for entry in known.values()]).values_list("key_id", flat=True)
    )
    keys = {name: known[name] if name in known and known[name]["key"] in live else new_maker(name) for name in MAKERS}
    if keys != known:
        write_private(path, json.dumps(keys))


def new_maker(name: str) -> dict[str, str | int]:
    user = User.objects.filter(username=name).first() or user_register(username=name, password=secrets.token_urlsafe(32))
    account = default_account(user)
    # The second deposit, after that of the registration: the engine applies each number once, so a repeat does nothing.
    gateway().submit(Deposit(account_id=account.id, asset="USDC", amount_atoms=MAKER_ATOMS, number=2, source_account_id=FAUCET))
    key, secret = api_key_create(account=account, label="market maker", can_trade=True)
    return {"account_id": account.id, "key": key.key_id, "secret": secret}
