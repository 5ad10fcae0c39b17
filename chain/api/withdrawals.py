"""Withdrawals of the account that the wallet holds, and where they may go."""

import uuid

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import IsPerson, person
from chain.api import bodies, schemas
from chain.api.wallets import CHAIN_ERRORS, READ_ERRORS, TAG, WRITES
from chain.custody.addresses import address_add, address_remove, usual_address
from chain.custody.models import Withdrawal, WithdrawalAddress
from chain.custody.wallets import chain_account_of, wallet_of
from chain.custody.withdrawals import withdrawal_of, withdrawal_request
from chain.deployment import deployment
from markets.api.documentation import operation
from markets.api.pages import Page, PageQuery, before_cursor, page
from markets.api.requests import body, query
from markets.api.schemas import NoQuery
from markets.fields import InvalidField
from markets.units import ASSET_DECIMALS
from trading.services.transfers import amount_atoms

IDEMPOTENCY_KEY = "Idempotency-Key"
MAX_KEY = 64


class WithdrawalListView(APIView):
    permission_classes = [IsPerson]
    rates = WRITES

    @operation(
        "chain_withdrawals_list", "Your withdrawals to the chain, newest first", tag=TAG, query=PageQuery,
        answer=Page[schemas.ShownWithdrawal], errors=READ_ERRORS,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        deployment()
        asked = query(request, PageQuery)
        rows = Withdrawal.objects.filter(account_id=chain_account_of(person(request)).account_id)
        return Response(page(before_cursor(rows, asked.cursor), limit=asked.limit, body=bodies.withdrawal))

    @operation(
        "chain_withdrawals_create", "Ask for money to leave to your wallet", tag=TAG, body=schemas.WithdrawalBody,
        answer=schemas.ShownWithdrawal, status=201, errors=CHAIN_ERRORS, headers={IDEMPOTENCY_KEY: "Again is the same withdrawal."},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        deployment()
        asked = body(request, schemas.WithdrawalBody)
        withdrawal = withdrawal_request(
            account=chain_account_of(person(request)).account,
            amount_atoms=amount_atoms(asked.amount, ASSET_DECIMALS["USDC"]),
            key=_key(request),
            address=asked.address,
        )
        return Response(bodies.withdrawal(withdrawal), status=201)


class WithdrawalDetailView(APIView):
    permission_classes = [IsPerson]
    rates = WRITES

    @operation(
        "chain_withdrawals_get", "One withdrawal", tag=TAG, answer=schemas.ShownWithdrawal, errors=READ_ERRORS,
        path={"withdrawal_id": "The withdrawal's number."},
    )  # fmt: skip
    def get(self, request: Request, withdrawal_id: str) -> Response:
        deployment()
        query(request, NoQuery)
        account_id = chain_account_of(person(request)).account_id
        return Response(bodies.withdrawal(withdrawal_of(account_id=account_id, withdrawal_id=withdrawal_id)))


class AddressListView(APIView):
    permission_classes = [IsPerson]
    rates = WRITES

    @operation("chain_addresses_list", "Where withdrawals may go", tag=TAG, answer=schemas.BookAddressList, errors=READ_ERRORS)
    def get(self, request: Request) -> Response:
        chain = deployment()
        query(request, NoQuery)
        user = person(request)
        place = chain_account_of(user)
        own = bodies.usual_address(usual_address(place, chain), wallet_of(user).proven_at)
        others = WithdrawalAddress.objects.filter(account_id=place.account_id)
        return Response({"results": [own, *map(bodies.address, others)]})

    @operation(
        "chain_addresses_create", "Add a token account of your wallet", tag=TAG, body=schemas.AddressBody, answer=schemas.BookAddress,
        status=201, errors=CHAIN_ERRORS,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        chain, asked = deployment(), body(request, schemas.AddressBody)
        place = chain_account_of(person(request))
        with chain.client() as client:
            entry = address_add(place=place, address=asked.address, label=asked.label, client=client, chain=chain)
        return Response(bodies.address(entry), status=201)


class AddressDetailView(APIView):
    permission_classes = [IsPerson]

    @operation(
        "chain_addresses_remove", "Remove a token account, at once", tag=TAG, status=204,
        path={"address": "The token account."},
    )  # fmt: skip
    def delete(self, request: Request, address: str) -> Response:
        deployment()
        address_remove(place=chain_account_of(person(request)), address=address)
        return Response(status=204)


def _key(request: Request) -> str:
    key = request.headers.get(IDEMPOTENCY_KEY, "")
    if len(key) > MAX_KEY or not key.isprintable() or not key.isascii():
        raise InvalidField("INVALID_ID", f"{IDEMPOTENCY_KEY} has at most {MAX_KEY} printable characters.", field=IDEMPOTENCY_KEY)
    return key or uuid.uuid4().hex
