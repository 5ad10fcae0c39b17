"""What changes users, accounts and API keys. Money moves in the engine only; these ask it to."""

import secrets
from functools import partial

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from accounts import api_auth, sealing
from accounts.announcements import Ended, credentials_ended
from accounts.models import Account, ApiKey, LedgerTransfer, User
from accounts.numbers import check_custodied, has_chain, is_wallets
from markets import ledger
from markets.commands import Deposit, OpenAccount
from markets.errors import DomainError, Refused
from markets.fields import InvalidField, echo
from markets.gateway import gateway
from markets.queries import GetAccount
from markets.units import QUOTE_ATOMS
from markets.views import Reply

DEMO_ATOMS = 10_000 * QUOTE_ATOMS
MAX_DEMO_DEPOSIT_ATOMS = 100_000 * QUOTE_ATOMS
MAX_DEMO_ATOMS_OF_ACCOUNT = 10 * MAX_DEMO_DEPOSIT_ATOMS
MAX_DEMO_ATOMS = 500_000_000 * QUOTE_ATOMS  # half of what the faucet has on a localnet; the desk's makers take some, too
MAX_API_KEYS = 20
MAX_LABEL = 40
MAX_USERNAME = 150
DEPOSIT_ATTEMPTS = 5


class UsernameTaken(InvalidField):
    def __init__(self, username: str) -> None:
        super().__init__("USERNAME_TAKEN", "This username is taken.", field="username", value=echo(username))


class DemoOnly(DomainError):
    code = "DEMO_ONLY"
    status = 403
    message = "Demo money exists in the demo only."


class DemoSpent(DomainError):
    code = "DEMO_SPENT"
    status = 409
    message = "No more demo money is given: there is so much for an account, and for all together."


class TooManyKeys(DomainError):
    code = "TOO_MANY_KEYS"
    status = 409
    message = "An account has at most so many API keys; revoke one first."


class KeyNotFound(DomainError):
    code = "KEY_NOT_FOUND"
    status = 404
    message = "There is no such API key."


def user_register(*, username: str, password: str) -> User:
    """Create a user with a trading account, and in a demo with money; all of it or nothing."""
    username = User.normalize_username(username.strip())
    _check_username(username)
    _check_password(username, password)
    with transaction.atomic():
        account = _create(username, password)
        # Before the commit: without the engine there is no half-made account. A number that it opened in vain is never used again.
        check_custodied(account.id)
        _submitted(gateway().submit(OpenAccount(account_id=account.id)))
        if has_demo_money():
            account_deposit_demo(account=account, amount_atoms=DEMO_ATOMS)
    assert account.owner
    return account.owner


def has_demo_money() -> bool:
    """Tell whether there is money that costs nothing: where a chain settles it, only a localnet's faucet has any."""
    return not settings.PRODUCTION and (settings.LOCALNET or not has_chain())


def account_deposit_demo(*, account: Account, amount_atoms: int) -> None:
    """Move demo money from the faucet to an account."""
    if not has_demo_money() or is_wallets(account.id):
        raise DemoOnly
    if not 0 < amount_atoms <= MAX_DEMO_DEPOSIT_ATOMS:
        largest = MAX_DEMO_DEPOSIT_ATOMS // QUOTE_ATOMS
        raise InvalidField("OUT_OF_RANGE", f"amount is at most {largest}.", field="amount", nearest=str(largest))
    _check_bounds(account, amount_atoms)
    number = _faucet_deposits(account).count() + 1
    for _ in range(DEPOSIT_ATTEMPTS):
        reply = gateway().submit(
            Deposit(account_id=account.id, asset="USDC", amount_atoms=amount_atoms, number=number, source_account_id=ledger.FAUCET)
        )
        if reply.reject is None or reply.reject.code != "OUT_OF_SEQUENCE":
            break
        number = int(reply.reject.data["last_number"]) + 1  # the tables were behind, or another request was faster
    _submitted(reply)


def api_key_create(*, account: Account, label: str, can_trade: bool) -> tuple[ApiKey, str]:
    """Return a new key and its secret, which nobody can read again."""
    label = label.strip()
    if not 0 < len(label) <= MAX_LABEL or not label.isprintable():
        raise InvalidField("INVALID_LABEL", f"label has 1 to {MAX_LABEL} printable characters.", field="label", value=echo(label))
    key_id, secret = "qk_" + secrets.token_hex(12), secrets.token_urlsafe(32)
    with transaction.atomic():
        Account.objects.select_for_update().get(id=account.id)  # two requests at once do not exceed the limit
        if ApiKey.objects.filter(account=account, revoked_at=None).count() >= MAX_API_KEYS:
            raise TooManyKeys(limit=MAX_API_KEYS)
        key = ApiKey.objects.create(
            key_id=key_id, account=account, label=label, can_trade=can_trade, secret_sealed=sealing.seal_api_secret(key_id, secret)
        )
    return key, secret


def api_key_revoke(*, user: User, key_id: str) -> None:
    """End a key of one of the user's accounts; it stops working within seconds, on open sockets too."""
    found = ApiKey.objects.filter(key_id=key_id, account__owner=user, revoked_at=None)
    if not key_id.isprintable() or not found.update(revoked_at=timezone.now()):
        raise KeyNotFound(key_id=echo(key_id))
    api_auth.forget(key_id)
    transaction.on_commit(partial(credentials_ended, Ended(key_id=key_id)))


def _create(username: str, password: str) -> Account:
    try:
        with transaction.atomic():
            user = User.objects.create_user(username=username, password=password)
    except IntegrityError as error:
        raise UsernameTaken(username) from error
    account = Account.objects.create(owner=user, name="main")
    assert account.id >= ledger.FIRST_USER_ACCOUNT, "the sequence of account numbers starts among the exchange's own"
    return account


def _check_username(username: str) -> None:
    try:
        UnicodeUsernameValidator()(username)
    except ValidationError as error:
        message = "username has letters, digits and @ . + - _ only."
        raise InvalidField("INVALID_USERNAME", message, field="username", value=echo(username)) from error
    if len(username) > MAX_USERNAME:
        raise InvalidField("INVALID_USERNAME", f"username has at most {MAX_USERNAME} characters.", field="username", value=echo(username))
    if User.objects.filter(username=username).exists():
        raise UsernameTaken(username)


def _check_password(username: str, password: str) -> None:
    try:
        validate_password(password, User(username=username))
    except ValidationError as error:
        raise InvalidField("WEAK_PASSWORD", " ".join(error.messages), field="password") from error


def _faucet_deposits(account: Account) -> QuerySet[LedgerTransfer]:
    return LedgerTransfer.objects.filter(debit_account_id=ledger.FAUCET, credit_account=account, kind="deposit", asset="USDC")


def _check_bounds(account: Account, amount_atoms: int) -> None:
    """Refuse more than one account's share, and more than the faucet has on chain: what it gave beyond that could not be settled."""
    given = _faucet_deposits(account).aggregate(given=Sum("amount_atoms"))["given"] or 0
    if given + amount_atoms > MAX_DEMO_ATOMS_OF_ACCOUNT:
        raise DemoSpent(limit=MAX_DEMO_ATOMS_OF_ACCOUNT // QUOTE_ATOMS)
    faucet = gateway().query(GetAccount(account_id=ledger.FAUCET))
    spent = 0 if faucet is None else -faucet.balances.get("USDC", 0)
    if spent + amount_atoms > MAX_DEMO_ATOMS:
        raise DemoSpent(limit=MAX_DEMO_ATOMS // QUOTE_ATOMS)


def _submitted(reply: Reply) -> Reply:
    if reply.reject is not None:
        raise Refused(reply.reject)
    return reply
