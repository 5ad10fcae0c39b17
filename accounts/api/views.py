"""A person's API keys. Keys themselves cannot reach these: a stolen one makes no other."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import schemas
from accounts.api.authentication import IsPerson, account_id, person
from accounts.models import ApiKey
from accounts.selectors import account_of, api_keys_of
from accounts.services import api_key_create, api_key_revoke
from markets.api.documentation import PRIVATE_READ_ERRORS, WRITE_ERRORS, operation
from markets.api.requests import body, query
from markets.api.schemas import NoQuery
from markets.stamps import ms


class ApiKeyListView(APIView):
    permission_classes = [IsPerson]

    @operation("api_keys_list", "Your API keys", tag="API keys", answer=schemas.KeyList, errors=PRIVATE_READ_ERRORS)
    def get(self, request: Request) -> Response:
        query(request, NoQuery)
        return Response({"results": [key_body(key) for key in api_keys_of(person(request))]})

    @operation(
        "api_keys_create", "Create a key; its secret is shown this once", tag="API keys", body=schemas.CreateKey,
        answer=schemas.CreatedKey, status=201, errors=(*WRITE_ERRORS, 409),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        asked = body(request, schemas.CreateKey)
        account = account_of(person(request), account_id(request, asked.account_id))
        key, secret = api_key_create(account=account, label=asked.label, can_trade=asked.can_trade)
        return Response(key_body(key) | {"secret": secret}, status=201)


class ApiKeyDetailView(APIView):
    permission_classes = [IsPerson]

    @operation("api_keys_revoke", "Revoke a key", tag="API keys", status=204, path={"key_id": "The key's id."})
    def delete(self, request: Request, key_id: str) -> Response:
        api_key_revoke(user=person(request), key_id=key_id)
        return Response(status=204)


def key_body(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "account_id": key.account_id,
        "label": key.label,
        "can_trade": key.can_trade,
        "created_ms": ms(key.created_at),
        "expires_ms": ms(key.expires_at) if key.expires_at else None,
        "last_used_ms": ms(key.last_used_at) if key.last_used_at else None,
    }
