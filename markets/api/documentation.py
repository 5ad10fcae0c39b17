"""Describes operations for OpenAPI from the structs that decode and shape them, so that the two cannot differ."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

F = TypeVar("F", bound=Callable[..., Any])
REF = "#/components/schemas/{name}"


class ErrorDetail(msgspec.Struct, frozen=True):
    """`code` is stable; `data` holds named facts that help to correct the request, such as `field` and `nearest`."""

    code: str
    message: str
    data: dict[str, Any]


class Error(msgspec.Struct, frozen=True):
    error: ErrorDetail


ERRORS = {
    400: "The request is malformed; `data.field` names what.",
    401: "Not authenticated.",
    403: "Not permitted: the key's scope, the CSRF token, or a page's session is missing.",
    404: "There is no such thing, or it is another's.",
    409: "In conflict with what exists.",
    410: "It was there once, and is kept no longer.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "The engine refused the command; `code` says why.",
    429: "Too many requests; `Retry-After` says when to come back.",
    502: "The chain's node refused what it was asked, or serves something else.",
    503: "The engine or its projection cannot answer just now; nothing was done.",
    504: "The outcome is not known; send it again with the same id.",
}
WRITE_ERRORS = (400, 401, 403, 404, 413, 415, 422, 429, 503, 504)
PRIVATE_READ_ERRORS = (400, 401, 403, 404, 429, 503, 504)
PUBLIC_READ_ERRORS = (400, 404, 429, 503, 504)

_structs: dict[str, Any] = {}


def operation(
    name: str,
    summary: str,
    *,
    tag: str,
    answer: Any = None,
    status: int = 200,
    body: Any = None,
    query: Any = None,
    path: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    errors: tuple[int, ...] = WRITE_ERRORS,
    public: bool = False,
) -> Callable[[F], F]:
    """Describe a view's method. `body`, `query` and `answer` are structs; `path` and `headers` say what each means."""
    parameters = [OpenApiParameter(key, str, "path", description=text) for key, text in (path or {}).items()]
    parameters += [OpenApiParameter(key, str, "header", description=text) for key, text in (headers or {}).items()]
    parameters += _query_parameters(query) if query else []
    responses = {status: OpenApiResponse(_reference(answer) if answer else None, description=summary)}
    responses |= {code: OpenApiResponse(_reference(Error), description=ERRORS[code]) for code in errors}
    return extend_schema(
        operation_id=name,
        summary=summary,
        tags=[tag],
        parameters=parameters,
        request={"application/json": _reference(body)} if body else None,
        responses=responses,
        auth=[] if public else None,
    )


def components() -> dict[str, Any]:
    """Return the JSON schemas of every struct that an operation named."""
    _, schemas = msgspec.json.schema_components(_structs.values(), ref_template=REF)
    return schemas


def _reference(type_: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([type_], ref_template=REF)
    _structs[repr(type_)] = type_
    return schema


def _query_parameters(type_: Any) -> list[OpenApiParameter]:
    _, schemas = msgspec.json.schema_components([type_], ref_template=REF)
    schema = schemas[type_.__name__]
    return [
        OpenApiParameter(
            name, {k: v for k, v in kind.items() if k != "description"}, "query", description=kind.get("description", ""),
            required=name in schema["required"],
        )
        for name, kind in schema["properties"].items()
    ]  # fmt: skip
