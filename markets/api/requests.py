"""What every view of the API does with a request: decode its body, convert its query string. Both refuse by name."""

from typing import Any, TypeVar

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import QueryDict
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from markets.errors import DomainError
from markets.fields import convert, decode

T = TypeVar("T")
MAX_BODY_BYTES = 65_536


class BodyTooLarge(DomainError):
    code = "BODY_TOO_LARGE"
    status = 413
    message = f"A body has at most {MAX_BODY_BYTES} bytes."


class NotJsonType(DomainError):
    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415
    message = "The body must be sent as application/json."


def raw_body(request: Request) -> bytes:
    """Return the body's bytes, within the limit."""
    try:
        data = bytes(request.body)
    except RequestDataTooBig as error:
        raise BodyTooLarge(limit=MAX_BODY_BYTES) from error
    if len(data) > MAX_BODY_BYTES:
        raise BodyTooLarge(limit=MAX_BODY_BYTES)
    return data


def body(request: Request, type_: type[T]) -> T:
    """Return the body as a struct; InvalidJson or InvalidField otherwise."""
    data = raw_body(request)
    if data and request.content_type.partition(";")[0].strip().lower() != "application/json":
        raise NotJsonType
    return decode(data, type_)


def query(request: Request, type_: type[T]) -> T:
    """Return the query string as a struct."""
    return convert(request.query_params.dict(), type_)


class UnreadParser(BaseParser):
    """Leave the body to `body`: Django's check of the CSRF token asks for the form, which the API never has, before any view runs."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> QueryDict:
        return QueryDict()


class MsgspecRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else msgspec.json.encode(data)


class AlwaysJson(BaseContentNegotiation):
    """The API speaks JSON, whatever a client says it accepts."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
