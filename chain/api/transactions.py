"""Transactions for the wallet to sign, passing them on, and what became of one."""

from datetime import timedelta

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from accounts.api.authentication import IsPerson, person
from accounts.models import User
from chain.api import bodies, schemas
from chain.api.wallets import CHAIN_ERRORS, READ_ERRORS, TAG, WRITES
from chain.client import ChainClient
from chain.custody.errors import ExitRequested, WithdrawalNotReady
from chain.custody.instructions import WalletInstructions
from chain.custody.models import Withdrawal
from chain.custody.transactions import prepare, relay, signature_of
from chain.custody.wallets import address_of, chain_account_of, wallet_of
from chain.custody.withdrawals import withdrawal_of
from chain.deployment import Deployment, deployment
from markets.api.documentation import operation
from markets.api.requests import body, query, raw_body
from markets.api.schemas import NoQuery
from markets.selectors import market_by_symbol
from markets.units import ASSET_DECIMALS
from trading.services.transfers import amount_atoms

KEY_LIFE = timedelta(days=90)
Answer = schemas.UnsignedTransaction


def prepared(user: User, client: ChainClient, *instructions: Instruction) -> Response:
    owner = Pubkey.from_string(wallet_of(user).address)
    return Response(bodies.unsigned(prepare(client=client, owner=owner, instructions=list(instructions))))


def instructions_of(user: User, chain: Deployment) -> WalletInstructions:
    return WalletInstructions(chain, Pubkey.from_string(wallet_of(user).address))


class DepositView(APIView):
    permission_classes = [IsPerson]
    rates = WRITES

    @operation("chain_deposit", "A transaction that deposits", tag=TAG, body=schemas.DepositBody, answer=Answer, errors=CHAIN_ERRORS)
    def post(self, request: Request) -> Response:
        chain, asked, user = deployment(), body(request, schemas.DepositBody), person(request)
        if chain_account_of(user).exit_requested_at is not None:
            raise ExitRequested
        atoms = amount_atoms(asked.amount, ASSET_DECIMALS["USDC"])
        with chain.client() as client:
            return prepared(user, client, instructions_of(user, chain).deposit(atoms))


class RegisterKeyView(APIView):
    permission_classes = [IsPerson]
    rates = WRITES

    @operation(
        "chain_register_key", "A transaction that registers a trading key", tag=TAG, body=schemas.RegisterKeyBody, answer=Answer,
        errors=CHAIN_ERRORS,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        chain, asked, user = deployment(), body(request, schemas.RegisterKeyBody), person(request)
        expires_s = asked.expires_ms // 1_000 if asked.expires_ms is not None else int((timezone.now() + KEY_LIFE).timestamp())
        instruction = instructions_of(user, chain).register_key(
            key=address_of(asked.key, field="key"),
            market_id=market_by_symbol(asked.market).market_id if asked.market is not None else None,
            cap_atoms=amount_atoms(asked.cap, ASSET_DECIMALS["USDC"]),
            expires_at_s=expires_s,
        )
        with chain.client() as client:
            return prepared(user, client, instruction)


class RevokeKeyView(APIView):
    permission_classes = [IsPerson]
    rates = WRITES

    @operation(
        "chain_revoke_key",
        "A transaction that revokes a key",
        tag=TAG,
        body=schemas.RevokeKeyBody,
        answer=Answer,
        errors=CHAIN_ERRORS,
    )
    def post(self, request: Request) -> Response:
        chain, asked, user = deployment(), body(request, schemas.RevokeKeyBody), person(request)
        instruction = instructions_of(user, chain).revoke_key(address_of(asked.key, field="key"))
        with chain.client() as client:
            return prepared(user, client, instruction)


class WithdrawView(APIView):
    permission_classes = [IsPerson]
    rates = WRITES

    @operation(
        "chain_withdraw",
        "A transaction that takes a withdrawal",
        tag=TAG,
        body=schemas.WithdrawBody,
        answer=Answer,
        errors=CHAIN_ERRORS,
    )
    def post(self, request: Request) -> Response:
        chain, asked, user = deployment(), body(request, schemas.WithdrawBody), person(request)
        found = withdrawal_of(account_id=chain_account_of(user).account_id, withdrawal_id=asked.withdrawal_id)
        with chain.client() as client:
            return prepared(user, client, *withdraw_instructions(user, chain, client, found))


class RequestExitView(APIView):
    permission_classes = [IsPerson]
    rates = WRITES

    @operation(
        "chain_request_exit", "A transaction that asks for an exit", tag=TAG, body=schemas.ExitBody, answer=Answer, errors=CHAIN_ERRORS
    )
    def post(self, request: Request) -> Response:
        chain, user = deployment(), person(request)
        if raw_body(request):
            body(request, schemas.ExitBody)
        with chain.client() as client:
            return prepared(user, client, instructions_of(user, chain).request_exit())


class RelayView(APIView):
    permission_classes = [IsPerson]
    rates = WRITES

    @operation(
        "chain_relay", "Pass on what your wallet has signed; again is harmless", tag=TAG, body=schemas.RelayBody, answer=schemas.Relayed,
        errors=CHAIN_ERRORS,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        chain, asked = deployment(), body(request, schemas.RelayBody)
        owner = Pubkey.from_string(wallet_of(person(request)).address)
        with chain.client() as client:
            signature = relay(client=client, chain=chain, owner=owner, transaction=asked.transaction)
        return Response({"signature": str(signature)})


class TransactionView(APIView):
    permission_classes = [IsPerson]
    rates = WRITES

    @operation(
        "chain_transaction", "What became of a transaction", tag=TAG, answer=schemas.TransactionState, errors=READ_ERRORS,
        path={"signature": "In base58."},
    )  # fmt: skip
    def get(self, request: Request, signature: str) -> Response:
        query(request, NoQuery)
        chain = deployment()
        name = signature_of(signature)
        with chain.client() as client:
            return Response(bodies.transaction_state(signature, client.status(name)))


def withdraw_instructions(user: User, chain: Deployment, client: ChainClient, found: Withdrawal) -> list[Instruction]:
    """Return what takes a granted withdrawal; the wallet's usual token account is opened where it is missing."""
    if found.state != Withdrawal.State.GRANTED or found.voucher is None:
        raise WithdrawalNotReady(state=found.state)
    wallet = instructions_of(user, chain)
    destination = Pubkey.from_string(found.destination)
    opened = [wallet.open_token_account(wallet.owner)] if destination == wallet.token_account else []
    taken = wallet.withdraw(
        number=found.voucher,
        amount_atoms=found.amount_atoms,
        destination=destination,
        markets=wallet.markets_held(client),
        settler=Pubkey.from_string(chain.record.settler),
        signer=wallet.owner,
    )
    return [*opened, taken]
