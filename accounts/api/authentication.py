"""DRF's view of accounts.api_auth, and who may do what with it."""

from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import api_auth
from accounts.api_auth import Principal
from accounts.models import User
from accounts.selectors import AccountNotFound, account_of
from accounts.shown import shown_account_id
from markets.api.requests import raw_body
from markets.errors import DomainError

SCHEME = "QD-HMAC"


class ScopeRequired(DomainError):
    code = "SCOPE_REQUIRED"
    status = 403
    message = "This key may not do that."


class SessionRequired(DomainError):
    code = "SESSION_REQUIRED"
    status = 403
    message = "Only a person who is logged in may do that, not a key."


class Program:
    """Stands for `request.user` where a key has signed: it owns nothing and may nothing but what its Principal says."""

    is_authenticated = True
    is_anonymous = is_staff = is_superuser = False
    is_active = True
    pk = id = None


class HmacAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Program, Principal] | None:
        if api_auth.KEY not in request.headers:
            return None
        principal = api_auth.verify(request.headers, request.method or "", request.get_full_path(), raw_body(request))
        return Program(), principal

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class MayUse(BasePermission):
    """A person may do everything with what is theirs; a key reads, and writes with the scope `trade`.

    A view whose POST changes nothing says so by `only_reads`.
    """

    def has_permission(self, request: Request, view: object) -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        reads = request.method in ("GET", "HEAD", "OPTIONS") or getattr(view, "only_reads", False)
        if isinstance(request.auth, Principal) and not request.auth.can_trade and not reads:
            raise ScopeRequired(required="trade")
        return True


class IsPerson(BasePermission):
    def has_permission(self, request: Request, view: object) -> bool:
        if isinstance(request.auth, Principal):
            raise SessionRequired
        return bool(request.user and request.user.is_authenticated)


def account_id(request: Request, asked: int | None = None) -> int:
    """Return the number of the account that a request is about: a key's own, or of the person's the asked, the shown, the active one."""
    if isinstance(request.auth, Principal):
        if asked not in (None, request.auth.account_id):
            raise AccountNotFound(account_id=asked)
        return request.auth.account_id
    return account_of(person(request), shown_account_id(request) if asked is None else asked).id


def person(request: Request) -> User:
    """Return who is logged in; views behind IsPerson or MayUse have one."""
    assert isinstance(request.user, User)
    return request.user


class HmacScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api.authentication.HmacAuthentication"
    name = ["QdKey", "QdTimestamp", "QdSign"]

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[Any]]:
        return {name: [] for name in self.name}

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        texts = {
            api_auth.KEY: "The key's id.",
            api_auth.TIMESTAMP: "Milliseconds since 1970; X-QD-RECV-WINDOW (default 5000, at most 60000) says how old it may be.",
            api_auth.SIGN: "Hex HMAC-SHA256 of timestamp, receive window, method, path with query, SHA-256 of the body; by newlines.",
        }
        place: Literal["header"] = "header"
        return [{"type": "apiKey", "in": place, "name": name, "description": text} for name, text in texts.items()]
