"""The shapes of /api/v1/chain/: wallets, their money and their transactions. Amounts are decimals in USDC unless said otherwise."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from markets.api.schemas import Milliseconds

WithdrawalState = Literal["requested", "held", "review", "granted", "paid", "returned", "refused"]
Address = Annotated[str, msgspec.Meta(description="In base58.")]
TransactionStatus = Literal["unknown", "processed", "confirmed", "finalized", "failed"]


class Body(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a request has, and nothing else."""


class ChainConfig(msgspec.Struct, frozen=True):
    cluster: str
    is_localnet: bool
    genesis_hash: str
    programs: dict[str, str]
    usdc_mint: Address
    exchange: Address
    custodian: Address
    prices: str
    explorer: Annotated[str, msgspec.Meta(description="The address of a transaction's page; {signature} stands for the signature.")]


class ChallengeBody(Body, frozen=True):
    address: Address


class Challenge(msgspec.Struct, frozen=True):
    message: str


class LinkBody(Body, frozen=True):
    """`signature`: of the challenge's message in UTF-8, in base64 or base58."""

    address: Address
    signature: str


class LinkedWallet(msgspec.Struct, frozen=True):
    address: Address
    account_id: int
    chain_account: Address
    proven_ms: int


class WalletOnChain(msgspec.Struct, frozen=True):
    """Finalized. `pending` is what batches that are not final yet will change of `final`."""

    sol: Decimal
    usdc: Decimal
    final: Decimal
    pending: Decimal
    phase: str


class WalletInEngine(msgspec.Struct, frozen=True):
    balance: Decimal
    equity: Decimal
    withdrawable: Decimal


class ChainDeposit(msgspec.Struct, frozen=True):
    """`credited` once the engine has it; deposits that are not final yet are not in the list."""

    deposit: int
    amount: Decimal
    signature: str
    credited: bool
    time_ms: int | None


class RegisteredKey(msgspec.Struct, frozen=True):
    key: Address
    market_id: int | None
    cap: Decimal
    created_ms: int
    expires_ms: int
    revoked_ms: int | None


class Exit(msgspec.Struct, frozen=True):
    requested_ms: int
    due_ms: int
    paid: bool


class WalletState(msgspec.Struct, frozen=True):
    """`wallet` null: none is linked, and the rest is null or empty, too."""

    wallet: LinkedWallet | None
    created: Annotated[bool, msgspec.Meta(description="Whether the account is on chain, finalized: before, nothing can be deposited.")]
    chain: WalletOnChain | None
    engine: WalletInEngine | None
    deposits: list[ChainDeposit]
    trading_keys: list[RegisteredKey]
    exit: Exit | None


class DepositBody(Body, frozen=True):
    amount: str


class RegisterKeyBody(Body, frozen=True):
    """`market` none: every market. `cap`: no single order is worth more at its limit."""

    key: Address
    market: str | None = None
    cap: str = "1000000"
    expires_ms: Milliseconds | None = None


class RevokeKeyBody(Body, frozen=True):
    key: Address


class WithdrawBody(Body, frozen=True):
    withdrawal_id: str


class ExitBody(Body, frozen=True):
    """Nothing; the body may also be left out."""


class UnsignedTransaction(msgspec.Struct, frozen=True):
    transaction: Annotated[str, msgspec.Meta(description="In base64; the wallet signs and pays.")]
    last_valid_block_height: int


class RelayBody(Body, frozen=True):
    transaction: Annotated[str, msgspec.Meta(description="Signed, in base64.")]


class Relayed(msgspec.Struct, frozen=True):
    signature: str


class TransactionState(msgspec.Struct, frozen=True):
    """`confirmations`: blocks on top of it, null once it is finalized or where it is unknown."""

    signature: str
    status: TransactionStatus
    confirmations: int | None
    error: str | None
    slot: int | None


class FaucetBody(Body, frozen=True):
    address: Address


class WithdrawalBody(Body, frozen=True):
    """`address`: of your address book; your wallet's usual token account when it is not given."""

    amount: str
    address: Address | None = None


class ShownWithdrawal(msgspec.Struct, frozen=True):
    """`held`: debited, until `held_until_ms` and then until the voucher is final. `granted`: your wallet can take it until `expires_ms`."""

    withdrawal_id: str
    amount: Decimal
    asset: str
    address: Address
    state: WithdrawalState
    reason: str
    voucher: int | None
    grant_signature: str
    withdraw_signature: str
    return_signature: str
    requested_ms: int
    held_until_ms: int | None
    granted_ms: int | None
    expires_ms: int | None
    ended_ms: int | None


class AddressBody(Body, frozen=True):
    address: Address
    label: str


class BookAddress(msgspec.Struct, frozen=True):
    """Withdrawals go there from `usable_ms` on. Your wallet's usual token account has no `added_ms`."""

    address: Address
    label: str
    usable_ms: int
    added_ms: int | None


class BookAddressList(msgspec.Struct, frozen=True):
    results: list[BookAddress]
