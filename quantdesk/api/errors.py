"""Every failure under /api/ in one shape: {"error": {"code", "message", "data"}}."""

import logging
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts.api.authentication import SCHEME
from accounts.limits import RateLimited
from markets.api.requests import MAX_BODY_BYTES, BodyTooLarge
from markets.errors import DomainError

RETRY_AFTER_SECONDS = 1
API_PREFIX = "/api/"
log = logging.getLogger(__name__)


class DatabaseUnavailable(DomainError):
    code = "DATABASE_UNAVAILABLE"
    status = 503
    message = "The database cannot be reached; try again."


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Render what a view raised; None leaves a bug to Django, which logs it and answers 500."""
    named = domain_error(error)
    if named is None:
        return None
    set_rollback()
    return Response(error_body(named), status=named.status, headers=error_headers(named))


def domain_error(error: Exception) -> DomainError | None:
    """Return the failure by its name in the API, or None when it is a bug."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, OperationalError | InterfaceError):
        log.error("the database cannot be reached: %s", error)
        return DatabaseUnavailable()
    if isinstance(error, Http404 | exceptions.NotFound):
        return _named("NOT_FOUND", 404, "There is nothing at this address.")
    if isinstance(error, RequestDataTooBig):
        return BodyTooLarge(limit=MAX_BODY_BYTES)
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        return _named("INVALID_REQUEST", 400, "The request is malformed.")
    if isinstance(error, PermissionDenied | exceptions.PermissionDenied):
        return _named("CSRF_FAILED" if "CSRF" in str(error) else "PERMISSION_DENIED", 403, str(error) or "Not permitted.")
    if isinstance(error, exceptions.MethodNotAllowed):
        return _named("METHOD_NOT_ALLOWED", 405, str(error.detail))
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return _named("NOT_AUTHENTICATED", 401, "Log in, or sign the request with an API key.")
    if isinstance(error, exceptions.APIException):
        return _named("INVALID_REQUEST", error.status_code, str(error.detail))
    return None


def error_body(error: DomainError) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": error.message, "data": error.data}}


def error_headers(error: DomainError) -> dict[str, str]:
    if isinstance(error, RateLimited):
        return {"Retry-After": str(-(-error.data["retry_after_ms"] // 1000))}
    if error.status == 503:
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    if error.status == 401:
        return {"WWW-Authenticate": SCHEME}
    return {}


def json_error(error: DomainError) -> HttpResponse:
    content = msgspec.json.encode(error_body(error))
    return HttpResponse(content, status=error.status, content_type="application/json", headers=error_headers(error))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not request.path.startswith(API_PREFIX):
        return defaults.bad_request(request, exception)
    return json_error(domain_error(exception) or _named("INVALID_REQUEST", 400, "The request is malformed."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not request.path.startswith(API_PREFIX):
        return defaults.permission_denied(request, exception)
    return json_error(_named("PERMISSION_DENIED", 403, "Not permitted."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not request.path.startswith(API_PREFIX):
        return defaults.page_not_found(request, exception)
    return json_error(_named("NOT_FOUND", 404, "There is nothing at this address."))


def too_large(path: str) -> HttpResponse:
    """Answer a request whose body is not read to its end."""
    if not path.startswith(API_PREFIX):
        return HttpResponse("413 Payload too large", status=413, content_type="text/plain")
    return json_error(BodyTooLarge(limit=MAX_BODY_BYTES))


def server_error(request: HttpRequest) -> HttpResponse:
    if not request.path.startswith(API_PREFIX):
        return defaults.server_error(request)
    return json_error(_named("INTERNAL_ERROR", 500, "Something failed here; it has been logged."))


def _named(code: str, status: int, message: str) -> DomainError:
    error = DomainError(message)
    error.code, error.status = code, status
    return error
