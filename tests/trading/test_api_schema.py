"""The OpenAPI document says what the API does, and the page of it works without any script."""

import re
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from quantdesk.api import schema
from quantdesk.api.schema import METHODS, kind_of
from tests.test_permissions import API


@pytest.fixture
def document() -> dict[str, Any]:
    schema.document.cache_clear()
    return schema.document()


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(method.upper(), path): item[method] for path, item in document["paths"].items() for method in METHODS if method in item}


def test_it_is_valid_and_made_without_a_guess(document: dict[str, Any]) -> None:
    validate_schema(document)  # type: ignore[no-untyped-call]
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache


def test_it_describes_every_route(document: dict[str, Any]) -> None:
    described = {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in operations(document)}
    served = {(method, "/" + re.sub(r"<\w+:\w+>", "{}", route)) for method, route in API}
    assert served - described == {("GET", "/api/v1/schema/"), ("GET", "/api/v1/docs/")}
    assert described <= served


def test_it_names_and_explains_each_operation_and_its_errors(document: dict[str, Any]) -> None:
    found = operations(document)
    assert len({item["operationId"] for item in found.values()}) == len(found)
    for (method, path), item in found.items():
        assert item["summary"], path
        answers = set(item["responses"])
        assert "429" in answers, path
        assert any(status.startswith("2") for status in answers), path
        private = bool(item.get("security")) and {} not in item["security"]
        assert private == ("401" in answers), (method, path)
        assert (method in ("POST", "PUT", "PATCH")) == ("requestBody" in item), (method, path)


def test_it_refers_to_schemas_that_are_there(document: dict[str, Any]) -> None:
    names = set(re.findall(r"#/components/schemas/([\w.]+)", repr(document)))
    assert names <= set(document["components"]["schemas"])


def test_it_refuses_in_bodies_what_it_does_not_name(document: dict[str, Any]) -> None:
    for (method, path), item in operations(document).items():
        if "requestBody" in item:
            name = kind_of(item["requestBody"]["content"]["application/json"]["schema"])
            assert document["components"]["schemas"][name]["additionalProperties"] is False, (method, path)


@pytest.mark.django_db
def test_it_is_served_to_anybody_as_json_and_as_a_page_without_inline_code() -> None:
    client = Client()
    assert client.get("/api/v1/schema/").json()["info"]["title"] == "QuantDesk"
    page = client.get("/api/v1/docs/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "'unsafe-inline'" not in page.headers["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)(?![^>]*application/json)", text)
    for path in schema.document()["paths"]:
        assert path in text, path
    for anchor in set(re.findall(r'href="#([\w-]+)"', text)):
        assert f'id="{anchor}"' in text, anchor
