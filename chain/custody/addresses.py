"""Where withdrawals may go. The program pays to token accounts of the owner's wallet only; which of them, the address book says."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from solders.pubkey import Pubkey
from spl.token.constants import ACCOUNT_LEN, TOKEN_PROGRAM_ID
from spl.token.instructions import get_associated_token_address

from chain.client import ChainClient
from chain.custody.errors import AddressHeld, AddressNotFound, InvalidAddress, TooManyAddresses
from chain.custody.models import ChainAccount, WithdrawalAddress
from chain.deployment import Deployment, deployment
from markets.fields import InvalidField, echo

HOLD: Final = timedelta(hours=24)
MAX_ADDRESSES: Final = 20
MAX_LABEL: Final = 40


def usual_address(place: ChainAccount, chain: Deployment) -> str:
    """Return the wallet's associated token account, which needs no entry."""
    return str(get_associated_token_address(Pubkey.from_string(place.owner), chain.usdc_mint))


def usable_address(place: ChainAccount, address: str | None) -> str:
    """Return the token account that a withdrawal goes to: the usual one, or one of the address book whose hold is over."""
    usual = usual_address(place, deployment())
    if address is None or address == usual:
        return usual
    known = address.isprintable()  # PostgreSQL takes no text with a NUL
    entry = WithdrawalAddress.objects.filter(account_id=place.account_id, address=address).first() if known else None
    if entry is None:
        raise AddressNotFound
    if entry.usable_at > timezone.now():
        raise AddressHeld(usable_at=entry.usable_at.isoformat())
    return entry.address


def address_add(*, place: ChainAccount, address: str, label: str, client: ChainClient, chain: Deployment) -> WithdrawalAddress:
    """Add a token account of the wallet; in production it can be used a day later."""
    label = label.strip()
    if not 0 < len(label) <= MAX_LABEL or not label.isprintable():
        raise InvalidField("INVALID_LABEL", f"label has 1 to {MAX_LABEL} printable characters.", field="label", value=echo(label))
    key = _token_account(client, chain, place, address)
    hold = HOLD if settings.PRODUCTION else timedelta()
    with transaction.atomic():
        ChainAccount.objects.select_for_update().get(pk=place.pk)  # two requests at once do not exceed the limit
        if WithdrawalAddress.objects.filter(account_id=place.account_id).count() >= MAX_ADDRESSES:
            raise TooManyAddresses(limit=MAX_ADDRESSES)
        try:
            with transaction.atomic():
                return WithdrawalAddress.objects.create(
                    account_id=place.account_id, address=str(key), label=label, usable_at=timezone.now() + hold
                )
        except IntegrityError as error:
            raise InvalidField("ADDRESS_KNOWN", "This address is in your address book.", field="address", value=echo(address)) from error


def address_remove(*, place: ChainAccount, address: str) -> None:
    """Take an entry out, at once; what was asked for already still goes there. Added again, it waits again."""
    known = address.isprintable()  # PostgreSQL takes no text with a NUL
    if not known or not WithdrawalAddress.objects.filter(account_id=place.account_id, address=address).delete()[0]:
        raise AddressNotFound


def _token_account(client: ChainClient, chain: Deployment, place: ChainAccount, address: str) -> Pubkey:
    """Return the address of a token account of this wallet; what the program would not pay to is refused now."""
    try:
        key = Pubkey.from_string(address)
    except ValueError as error:
        raise InvalidAddress(address, field="address") from error
    account = client.account(key, commitment="confirmed")
    data = bytes(account.data) if account is not None and account.owner == TOKEN_PROGRAM_ID else b""
    if len(data) != ACCOUNT_LEN or data[:32] != bytes(chain.usdc_mint) or data[32:64] != bytes(Pubkey.from_string(place.owner)):
        raise InvalidField(
            "NOT_YOUR_TOKEN_ACCOUNT",
            "address must be a token account for USDC that your wallet owns.",
            field="address",
            value=echo(address),
        )
    return key
