"""The OpenAPI document, and a page that shows it without any script."""

import functools
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from markets.api.documentation import components

METHODS = ("get", "post", "put", "patch", "delete")


class Operation(NamedTuple):
    """One line of the page."""

    method: str
    path: str
    summary: str
    description: str
    public: bool
    parameters: list[dict[str, Any]]
    body: str
    answers: list[tuple[str, str, str]]  # status, name of the schema, description


def add_components(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the schemas of the structs that operations refer to; drf-spectacular calls this."""
    result.setdefault("components", {})["schemas"] = dict(sorted(components().items()))
    return result


@functools.cache
def document() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


@extend_schema(exclude=True)
class SchemaView(APIView):
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        return Response(document())


@extend_schema(exclude=True)
class NotFoundView(APIView):
    """Answers for every address under /api/ that is not one, whatever the method."""

    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound


def docs(request: HttpRequest) -> HttpResponse:
    """Show the operations by subject, and every schema."""
    schema = document()
    groups: dict[str, list[Operation]] = {}
    for path, item in schema["paths"].items():
        for method in METHODS:
            if method in item:
                groups.setdefault(item[method]["tags"][0], []).append(_operation(method, path, item[method]))
    return render(request, "quantdesk/api_docs.html", {"groups": groups, "schemas": _schemas(schema)})


def _operation(method: str, path: str, item: dict[str, Any]) -> Operation:
    content = item.get("requestBody", {}).get("content", {}).get("application/json", {})
    return Operation(
        method=method.upper(),
        path=path,
        summary=item.get("summary", ""),
        description=item.get("description", ""),
        public={} in item.get("security", []) or not item.get("security"),
        parameters=[parameter | {"kind": kind_of(parameter["schema"])} for parameter in item.get("parameters", [])],
        body=kind_of(content["schema"]) if content else "",
        answers=[_answer(status, answer) for status, answer in sorted(item["responses"].items())],
    )


def _answer(status: str, answer: dict[str, Any]) -> tuple[str, str, str]:
    content = answer.get("content", {}).get("application/json", {})
    return status, kind_of(content["schema"]) if content else "", answer.get("description", "")


def _schemas(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "description": item.get("description", ""),
            "fields": [
                {"name": field, "kind": kind_of(kind), "required": field in item.get("required", []), "note": kind.get("description", "")}
                for field, kind in item.get("properties", {}).items()
            ],
        }
        for name, item in schema["components"]["schemas"].items()
    ]


def kind_of(schema: dict[str, Any]) -> str:
    """Say in a few words what a JSON schema allows."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return " | ".join("null" if value is None else str(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(kind_of(option) for option in schema["anyOf"])
    kind = str(schema.get("type", "any"))
    if "prefixItems" in schema:
        return "[" + ", ".join(kind_of(item) for item in schema["prefixItems"]) + "]"
    if kind == "array":
        return f"list of {kind_of(schema['items'])}" if schema.get("items") else "list"
    limits = [f"{word} {schema[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in schema]
    return " ".join([kind, *limits])
