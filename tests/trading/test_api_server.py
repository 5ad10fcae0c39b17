"""The API behind the server's own handler."""

from typing import Any, cast

import httpx

from quantdesk.asgi_handler import ThreadedHandler


async def test_it_refuses_a_flood_in_a_body_before_django_sees_it() -> None:
    transport = httpx.ASGITransport(app=cast(Any, ThreadedHandler()))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.post("/api/v1/orders/", content=b"x" * 3_000_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "BODY_TOO_LARGE")
