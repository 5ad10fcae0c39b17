"""Proving a wallet and linking it: a trading account of its own, that the wallet's key holds on chain."""

import base64
import secrets
from datetime import timedelta
from typing import Final

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone
from solders.pubkey import Pubkey
from solders.signature import Signature

from accounts import limits
from accounts.limits import RateLimited
from accounts.models import Account, User
from accounts.numbers import next_wallet_number
from accounts.sub_accounts import account_select
from chain.building import build
from chain.client import ChainClient
from chain.custody.errors import ChallengeGone, InvalidAddress, NoWallet, ProofWrong, WalletLinked, WalletTaken
from chain.custody.instructions import WalletInstructions
from chain.custody.models import ChainAccount, Wallet, WalletChallenge
from chain.deployment import Deployment
from chain.errors import ChainError
from chain.models import OutboxShard
from chain.outbox.faults import halting
from chain.outbox.queue import halt
from markets.commands import OpenAccount
from markets.errors import DomainError, GatewayError, Refused
from markets.gateway import gateway

VALID_FOR: Final = timedelta(minutes=10)
MAX_CHALLENGES: Final = 5  # of one person for one wallet
NAME: Final = "wallet"
log = structlog.get_logger("custody")


def address_of(text: str, *, field: str) -> Pubkey:
    """Return an address that a key can sign for; InvalidAddress otherwise."""
    try:
        key = Pubkey.from_string(text)
    except ValueError as error:
        raise InvalidAddress(text, field=field) from error
    if not key.is_on_curve():
        raise InvalidAddress(text, field=field)
    return key


def wallet_challenge(*, user: User, address: str, domain: str, chain: Deployment) -> str:
    """Return a message for the wallet to sign; it is good once, and not for long."""
    wallet = str(address_of(address, field="address"))
    now = timezone.now()
    WalletChallenge.objects.filter(expires_at__lte=now).delete()
    mine = WalletChallenge.objects.filter(user=user, address=wallet).order_by("-expires_at")
    WalletChallenge.objects.filter(pk__in=list(mine.values_list("pk", flat=True)[MAX_CHALLENGES - 1 :])).delete()
    nonce, expires_at = secrets.token_hex(16), now + VALID_FOR
    message = "\n".join(
        (
            f"{domain} asks you to prove that this wallet is yours:",
            wallet,
            "",
            f"It will be linked to the login {user.username} and hold a trading account. Signing costs nothing and moves nothing.",
            "",
            f"Cluster: {chain.cluster}",
            f"Nonce: {nonce}",
            f"Expires: {expires_at:%Y-%m-%d %H:%M:%S} UTC",
        )
    )
    WalletChallenge.objects.create(nonce=nonce, user=user, address=wallet, message=message, expires_at=expires_at)
    return message


def wallet_link(*, user: User, address: str, signature: str, chain: Deployment) -> Wallet:
    """Link the wallet that has signed one of the person's challenges, and open its account; the same again changes nothing."""
    key = address_of(address, field="address")
    _use_challenge(user, key, signature)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two requests at once link one wallet
        wallet = Wallet.objects.filter(user=user).first()
        known = wallet is not None
        if wallet is None:
            wallet = _linked(user, key)
        elif wallet.address != str(key):
            raise WalletLinked(address=wallet.address)
        place = wallet_place(key, 0, chain)
        _attach(place.account, user)
    place_open(place)
    if not known:
        account_select(user=user, account_id=place.account_id)
    return wallet


def wallet_place(owner: Pubkey, sub_account: int, chain: Deployment) -> ChainAccount:
    """Return the ledger account of a wallet's place on chain, made when there is none; whoever links the wallet gets it.

    The engine hears of it afterwards (place_open): so settlement finds the row of every account that the journal names.
    """
    with transaction.atomic():
        number = next_wallet_number()
        known = ChainAccount.objects.select_related("account").filter(owner=str(owner), sub_account=sub_account).first()
        if known is not None:
            return known
        account = Account.objects.create(id=number, name=NAME)
        address = str(chain.dex.user(owner, sub_account))
        return ChainAccount.objects.create(account=account, owner=str(owner), sub_account=sub_account, address=address)


def place_open(place: ChainAccount) -> None:
    """Open a place's account in the engine; again changes nothing."""
    reply = gateway().submit(OpenAccount(account_id=place.account_id, self_custody=True))
    if reply.reject is not None:
        raise Refused(reply.reject)


def wallet_of(user: User) -> Wallet:
    wallet = Wallet.objects.filter(user=user).first()
    if wallet is None:
        raise NoWallet
    return wallet


def chain_account_of(user: User) -> ChainAccount:
    """Return the account that the person's wallet holds."""
    return ChainAccount.objects.select_related("account").get(owner=wallet_of(user).address, sub_account=0)


def users_create(*, client: ChainClient, chain: Deployment) -> int:
    """See to it that each linked wallet has its account on chain; return how many were found there now."""
    found = 0
    halted = OutboxShard.objects.exclude(halted_at=None).values_list("name", flat=True)
    for row in ChainAccount.objects.filter(created_at=None).order_by("account_id")[:50]:
        shard = shard_of(row.account_id)
        if shard in halted:
            continue
        try:
            with halting(shard):
                found += _created(client, chain, row)
        except (ChainError, GatewayError):
            raise  # nobody's is made now
        except DomainError as error:
            log.error("account_refused", account_id=row.account_id, code=error.code, error=error.message)
            halt(shard=shard, reason=f"{error.code}: {error.message}")
    return found


def shard_of(account_id: int) -> str:
    """Return where staff see, and release, an account that met a fault while it was opened."""
    return f"account {account_id}"


def _created(client: ChainClient, chain: Deployment, row: ChainAccount) -> bool:
    place_open(row)  # where the engine did not answer when it was linked
    place = WalletInstructions(chain, Pubkey.from_string(row.owner), row.sub_account)
    if client.account(place.user, commitment="finalized") is not None:
        ChainAccount.objects.filter(pk=row.pk, created_at=None).update(created_at=timezone.now())
        return True
    if client.account(place.user, commitment="processed") is None:
        # Whoever pays, it is the owner's: a second one fails, and nothing is lost by it but a fee.
        settler = chain.keys.settler
        try:
            signed = build(client=client, payer=settler, instructions=[place.create_user(settler.pubkey())])
            client.send(signed.transaction)
        except ChainError as error:
            log.warning("account_not_created", account_id=row.pk, code=error.code, error=error.message)
            return False
        ChainAccount.objects.filter(pk=row.pk).update(create_signature=str(signed.signature))
    return False


def _use_challenge(user: User, key: Pubkey, signature: str) -> None:
    signed = _signature(signature)
    open_ones = WalletChallenge.objects.filter(user=user, address=str(key), expires_at__gt=timezone.now())
    rows = list(open_ones)
    if not rows:
        raise ChallengeGone
    proven = next((row for row in rows if signed.verify(key, row.message.encode())), None)
    if proven is None:
        raise ProofWrong
    if not WalletChallenge.objects.filter(pk=proven.pk).delete()[0]:
        raise ChallengeGone


def _linked(user: User, key: Pubkey) -> Wallet:
    taken = limits.buckets().take(limits.limit("wallets"), who="all")
    if not taken.allowed:
        log.error("too_many_wallets", user=user.pk)  # the settler pays for each one's account on chain
        raise RateLimited(taken)
    try:
        with transaction.atomic():
            return Wallet.objects.create(user=user, address=str(key))
    except IntegrityError as error:
        raise WalletTaken from error


def _attach(account: Account, user: User) -> None:
    """Give the person the account of the wallet that is theirs."""
    if account.owner_id == user.pk:
        return
    taken = set(Account.objects.for_user(user).values_list("name", flat=True))
    account.name = next(name for name in (NAME, *(f"{NAME} {number}" for number in range(2, 100))) if name not in taken)
    account.owner = user
    account.save(update_fields=["owner", "name"])


def _signature(text: str) -> Signature:
    """Read 64 bytes in base64, as browsers write them, or base58, as Solana's tools do."""
    try:
        return Signature.from_bytes(base64.b64decode(text, validate=True)) if text.endswith("==") else Signature.from_string(text)
    except ValueError as error:
        raise ProofWrong from error
