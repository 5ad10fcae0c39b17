"""JSON bodies of wallets, withdrawals and transactions."""

import base64
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import TradingKey
from chain.client import Status
from chain.custody.models import ChainAccount, ChainEvent, Wallet, Withdrawal, WithdrawalAddress
from chain.custody.selectors import ChainSide, WalletView
from chain.custody.transactions import Unsigned
from chain.deployment import Deployment
from markets.api.bodies import atoms, text
from markets.stamps import ms
from markets.views import AccountView

NO_WALLET: dict[str, Any] = {
    "wallet": None, "created": False, "chain": None, "engine": None, "deposits": [], "trading_keys": [], "exit": None,
}  # fmt: skip


def config(chain: Deployment) -> dict[str, Any]:
    return {
        "cluster": chain.cluster,
        "is_localnet": chain.is_localnet,
        "genesis_hash": chain.record.genesis_hash,
        "programs": chain.record.programs,
        "usdc_mint": chain.record.usdc_mint,
        "exchange": str(chain.dex.exchange),
        "custodian": chain.record.custodian,
        "prices": chain.record.prices,
        "explorer": chain.transaction_url("{signature}"),
    }


def linked(wallet: Wallet, place: ChainAccount) -> dict[str, Any]:
    return {
        "address": wallet.address,
        "account_id": place.account_id,
        "chain_account": place.address,
        "proven_ms": ms(wallet.proven_at),
    }


def wallet(view: WalletView | None) -> dict[str, Any]:
    if view is None:
        return NO_WALLET
    return {
        "wallet": linked(view.wallet, view.place),
        "created": view.place.created_at is not None,
        "chain": on_chain(view.chain),
        "engine": in_engine(view.engine) if view.engine is not None else None,
        "deposits": [deposit(event) for event in view.deposits],
        "trading_keys": [trading_key(key) for key in view.keys],
        "exit": exit_state(view.chain),
    }


def on_chain(side: ChainSide) -> dict[str, Any]:
    return {
        "sol": text(Decimal(side.lamports).scaleb(-9)),
        "usdc": atoms(side.wallet_atoms),
        "final": atoms(side.final_atoms),
        "pending": atoms(side.pending_atoms),
        "phase": side.phase,
    }


def in_engine(view: AccountView) -> dict[str, Any]:
    return {
        "balance": atoms(view.balances.get("USDC", 0)),
        "equity": atoms(view.equity_atoms),
        "withdrawable": atoms(view.withdrawable_atoms),
    }


def deposit(event: ChainEvent) -> dict[str, Any]:
    return {
        "deposit": event.data["deposit"],
        "amount": atoms(event.data["amount"]),
        "signature": event.signature,
        "credited": event.state == ChainEvent.State.APPLIED,
        "time_ms": _optional_ms(event.happened_at),
    }


def trading_key(key: TradingKey) -> dict[str, Any]:
    return {
        "key": key.key,
        "market_id": key.market_id,
        "cap": atoms(int(key.cap_atoms)),
        "created_ms": ms(key.created_at),
        "expires_ms": ms(key.expires_at),
        "revoked_ms": _optional_ms(key.revoked_at),
    }


def exit_state(side: ChainSide) -> dict[str, Any] | None:
    if side.exit_requested_at is None or side.exit_due_at is None:
        return None
    return {"requested_ms": ms(side.exit_requested_at), "due_ms": ms(side.exit_due_at), "paid": side.exit_paid}


def unsigned(transaction: Unsigned) -> dict[str, Any]:
    return {
        "transaction": base64.b64encode(transaction.transaction).decode(),
        "last_valid_block_height": transaction.last_valid_block_height,
    }


def transaction_state(signature: str, status: Status | None) -> dict[str, Any]:
    if status is None:
        return {"signature": signature, "status": "unknown", "confirmations": None, "error": None, "slot": None}
    return {
        "signature": signature,
        "status": "failed" if status.error is not None else status.commitment,
        "confirmations": status.confirmations,
        "error": status.error,
        "slot": status.slot,
    }


def withdrawal(row: Withdrawal) -> dict[str, Any]:
    return {
        "withdrawal_id": str(row.pk),
        "amount": atoms(row.amount_atoms, row.asset),
        "asset": row.asset,
        "address": row.destination,
        "state": row.state,
        "reason": row.reason,
        "voucher": row.voucher,
        "grant_signature": row.grant_signature,
        "withdraw_signature": row.withdraw_signature,
        "return_signature": row.return_signature,
        "requested_ms": ms(row.requested_at),
        "held_until_ms": _optional_ms(row.held_until),
        "granted_ms": _optional_ms(row.granted_at),
        "expires_ms": _optional_ms(row.expires_at),
        "ended_ms": _optional_ms(row.ended_at),
    }


def address(entry: WithdrawalAddress) -> dict[str, Any]:
    return {"address": entry.address, "label": entry.label, "usable_ms": ms(entry.usable_at), "added_ms": ms(entry.created_at)}


def usual_address(token_account: str, proven_at: datetime) -> dict[str, Any]:
    return {"address": token_account, "label": "your wallet", "usable_ms": ms(proven_at), "added_ms": None}


def _optional_ms(moment: datetime | None) -> int | None:
    return ms(moment) if moment is not None else None
