"""What a new exchange starts with. Every step looks first, so that running it again changes nothing."""

import json
import secrets
import time
from pathlib import Path

from accounts.models import Account, ApiKey, User
from accounts.selectors import default_account
from accounts.services import api_key_create, user_register
from markets.commands import CreateMarket, Deposit
from markets.errors import EngineBusy, EngineUnavailable, OutcomeUnknown, Refused
from markets.gateway import gateway
from markets.ledger import FAUCET
from markets.queries import GetAccount, GetMarkets
from markets.seed import MARKETS
from markets.units import QUOTE_ATOMS, decimal_from_atoms
from markets.views import MarketView
from quantdesk.desk.credentials import STAFF, TRADERS, Credentials
from quantdesk.embedded.secret import write_private

ENGINE_TIMEOUT_S = 60.0
MAKERS = ("maker-1", "maker-2", "taker-1")
MAKER_ATOMS = 1_000_000 * QUOTE_ATOMS
BALANCES = "balances.json"
MAKER_KEYS = "makers.json"


def create_markets() -> None:
    known = {view.parameters.market_id for view in wait_for_markets()}
    for parameters in MARKETS:
        if parameters.market_id not in known:
            reply = gateway().submit(CreateMarket(parameters=parameters, author="seed"))
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
    """Create traders, staff and makers; leave the traders' balances and the makers' keys in the data folder."""
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
    return user or user_register(username=username, password=credentials.passwords[username])


def set_password(username: str, password: str) -> None:
    """Make a user's password what the file says, where the file is newer than the user."""
    user = User.objects.get(username=username)
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])


def balance(account: Account) -> str:
    view = gateway().query(GetAccount(account_id=account.id))
    return f"{decimal_from_atoms(view.balances.get('USDC', 0) if view else 0):,.2f} USDC"


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
