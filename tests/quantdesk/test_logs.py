import json
import logging
from io import StringIO

import pytest
import structlog
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from quantdesk import logs
from quantdesk.request_id import RequestIdMiddleware


@pytest.fixture
def written() -> StringIO:
    """Return what a logger of the standard library writes through the settings' formatter."""
    stream = StringIO()
    factory = logs.configure("INFO")["formatters"]["json"]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(factory["()"](**{name: value for name, value in factory.items() if name != "()"}))
    logger = logging.getLogger("tests.logs")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel("INFO")
    return stream


def test_it_writes_one_json_object_a_line_from_both_libraries(written: StringIO) -> None:
    structlog.get_logger("tests.logs").info("order_refused", code="BAD_PRICE", account_id=7)
    logging.getLogger("tests.logs").warning("careful\nnow", extra={"seq": 3})
    first, second = map(json.loads, written.getvalue().splitlines())
    assert (first["event"], first["code"], first["account_id"], first["level"]) == ("order_refused", "BAD_PRICE", 7, "info")
    assert (second["event"], second["seq"], second["level"]) == ("careful\nnow", 3, "warning")


def test_it_puts_the_requests_id_on_its_lines_and_only_there(written: StringIO) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        logging.getLogger("tests.logs").info("seen")
        return HttpResponse()

    response = RequestIdMiddleware(view)(RequestFactory().get("/trade/", headers={"X-Request-ID": "from-the-proxy-1"}))
    logging.getLogger("tests.logs").info("after")
    first, second = map(json.loads, written.getvalue().splitlines())
    assert (first["request_id"], first["path"]) == ("from-the-proxy-1", "/trade/")
    assert "request_id" not in second
    assert response.headers["X-Request-ID"] == "from-the-proxy-1"


def test_it_logs_exceptions_with_their_traceback(written: StringIO) -> None:
    try:
        raise ValueError("odd")
    except ValueError:
        logging.getLogger("tests.logs").exception("failed")
    assert "ValueError: odd" in json.loads(written.getvalue())["exception"]


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "with space", "line\nbreak"])
def test_it_makes_an_id_where_none_can_be_used(given: str) -> None:
    answer = RequestIdMiddleware(lambda request: HttpResponse())(RequestFactory().get("/", headers={"X-Request-ID": given}))
    assert len(answer.headers["X-Request-ID"]) == 32


@pytest.mark.django_db
def test_it_is_switched_on() -> None:
    assert Client().get("/healthz").headers["X-Request-ID"]
