"""A person's accounts, and money between them. Keys cannot reach these: one account's key moves nothing to another."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import IsPerson, person
from accounts.models import Account
from accounts.selectors import accounts_of
from accounts.sub_accounts import account_open
from markets.api.documentation import PRIVATE_READ_ERRORS, WRITE_ERRORS, operation
from markets.api.requests import body, query
from markets.api.schemas import NoQuery
from markets.stamps import ms
from trading.representations import atoms_text
from trading.services.transfers import transfer

AccountId = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]


class OpenAccountBody(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    name: str


class OwnAccount(msgspec.Struct, frozen=True):
    account_id: int
    name: str
    created_ms: int


class OwnAccountList(msgspec.Struct, frozen=True):
    results: list[OwnAccount]


class TransferBody(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`from_account_id` is the account in use when it is not given."""

    to_account_id: AccountId
    amount: str
    asset: str = "USDC"
    from_account_id: AccountId | None = None


class MovedAmount(msgspec.Struct, frozen=True):
    from_account_id: int
    to_account_id: int
    asset: str
    amount: Decimal


class OwnAccountListView(APIView):
    permission_classes = [IsPerson]

    @operation("accounts_list", "Your accounts", tag="Account", answer=OwnAccountList, errors=PRIVATE_READ_ERRORS)
    def get(self, request: Request) -> Response:
        query(request, NoQuery)
        return Response({"results": [shown(account) for account in accounts_of(person(request))]})

    @operation(
        "accounts_open", "Open one more account", tag="Account", body=OpenAccountBody, answer=OwnAccount, status=201,
        errors=(*WRITE_ERRORS, 409),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        return Response(shown(account_open(user=person(request), name=body(request, OpenAccountBody).name)), status=201)


class TransferView(APIView):
    permission_classes = [IsPerson]

    @operation("accounts_transfer", "Move money between your accounts", tag="Account", body=TransferBody, answer=MovedAmount)
    def post(self, request: Request) -> Response:
        asked = body(request, TransferBody)
        source, atoms = transfer(
            user=person(request),
            from_account_id=asked.from_account_id,
            to_account_id=asked.to_account_id,
            asset=asked.asset,
            amount=asked.amount,
        )
        amount = atoms_text(atoms, asked.asset)
        return Response({"from_account_id": source, "to_account_id": asked.to_account_id, "asset": asked.asset, "amount": amount})


def shown(account: Account) -> dict[str, Any]:
    return {"account_id": account.id, "name": account.name, "created_ms": ms(account.created_at)}
