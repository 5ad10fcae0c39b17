"""What a person sees of their wallet: on chain, in the engine, and on the way between both."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from solders.pubkey import Pubkey
from spl.token.constants import ACCOUNT_LEN, TOKEN_PROGRAM_ID

from accounts.models import TradingKey, User
from accounts.trading_keys import trading_keys_of
from chain.client import ChainClient
from chain.custody.instructions import USDC_INDEX, WalletInstructions
from chain.custody.models import ChainAccount, ChainEvent, Wallet
from chain.deployment import Deployment
from chain.idl import WrongAccount
from markets.gateway import gateway
from markets.queries import GetAccount
from markets.stamps import at_seconds
from markets.views import AccountView

AMOUNT = slice(64, 72)
LATEST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSide:
    """Finalized. `final_atoms` is the account's balance, `pending_atoms` what batches that are not final yet will change of it."""

    lamports: int
    wallet_atoms: int
    final_atoms: int
    pending_atoms: int
    exit_requested_at: datetime | None
    exit_due_at: datetime | None
    exit_paid: bool
    phase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletView:
    wallet: Wallet
    place: ChainAccount
    chain: ChainSide
    engine: AccountView | None
    deposits: list[ChainEvent]
    keys: list[TradingKey]


def wallet_view(*, user: User, client: ChainClient, chain: Deployment) -> WalletView | None:
    """Return all of a person's wallet, or None when none is linked."""
    wallet = Wallet.objects.filter(user=user).first()
    if wallet is None:
        return None
    place = ChainAccount.objects.get(owner=wallet.address, sub_account=0)
    events = ChainEvent.objects.filter(account_address=place.address, kind="Deposited")
    return WalletView(
        wallet=wallet,
        place=place,
        chain=chain_side(client=client, chain=chain, owner=Pubkey.from_string(wallet.address)),
        engine=gateway().query(GetAccount(account_id=place.account_id)),
        deposits=list(events.order_by("-number")[:LATEST]),
        keys=trading_keys_of(place.account_id),
    )


def chain_side(*, client: ChainClient, chain: Deployment, owner: Pubkey) -> ChainSide:
    wallet = WalletInstructions(chain, owner)
    found = client.accounts([owner, wallet.token_account, wallet.user, chain.dex.exchange], commitment="finalized")
    exchange = chain.dex.program.account("Exchange", found[3])
    user = _user(chain, found[2])
    requested = at_seconds(user.exit_requested_at) if user is not None and user.exit_requested_at else None
    final, pending = balances_of(user, exchange.final_epoch)
    return ChainSide(
        lamports=found[0].lamports if found[0] is not None else 0,
        wallet_atoms=token_atoms(found[1]),
        final_atoms=final,
        pending_atoms=pending,
        exit_requested_at=requested,
        exit_due_at=requested + timedelta(seconds=exchange.parameters.exit_s) if requested is not None else None,
        exit_paid=user is not None and user.exit_paid,
        phase=type(exchange.phase).__name__.lower(),
    )


def token_atoms(account: Any) -> int:
    """Return what a token account holds; none when there is no such account."""
    if account is None or account.owner != TOKEN_PROGRAM_ID or len(account.data) != ACCOUNT_LEN:
        return 0
    return int.from_bytes(bytes(account.data)[AMOUNT], "little")


def _user(chain: Deployment, account: Any) -> Any:
    try:
        return chain.dex.program.account("User", account)
    except WrongAccount:
        return None  # linked a moment ago


def balances_of(user: Any, final_epoch: int) -> tuple[int, int]:
    """Return the final quote balance and what waits: a batch of a final epoch counts, though nobody has taken it up yet."""
    if user is None:
        return 0, 0
    waiting = [(pending.epoch, pending.changes.balances[USDC_INDEX]) for pending in user.pending if pending.epoch]
    final = user.holdings.balances[USDC_INDEX] + sum(amount for epoch, amount in waiting if epoch <= final_epoch)
    return final, sum(amount for epoch, amount in waiting if epoch > final_epoch)
