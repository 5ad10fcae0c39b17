"""Cursor pages: a cursor is the id of the last row seen, so no page is ever out of reach, and none shifts while rows are added."""

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from django.db import models

from markets.fields import InvalidField, echo

Row = TypeVar("Row", bound=models.Model)
T = TypeVar("T")
MAX_PAGE = 500
MAX_ID_DIGITS = 18

Limit = Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE, description="Rows of a page.")]
Cursor = Annotated[str, msgspec.Meta(description="`next` of the page before; without it the newest rows.")]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Newest first; `next` is the cursor of the following page, null on the last one."""

    results: list[T]
    next: str | None


class PageQuery(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    cursor: Cursor = ""
    limit: Limit = 100


def before_cursor(rows: models.QuerySet[Row], cursor: str) -> models.QuerySet[Row]:
    """Return the rows from the cursor on, newest first."""
    newest = rows.order_by("-id")
    return newest.filter(id__lt=read_cursor(cursor)) if cursor else newest


def page(rows: models.QuerySet[Row], *, limit: int, body: Callable[[Row], dict[str, Any]]) -> dict[str, Any]:
    """Return one page of rows; it reads one row more to know whether another page follows."""
    return page_of(list(rows[: limit + 1]), limit=limit, body=body, cursor=lambda row: str(row.pk))


def page_of(rows: list[T], *, limit: int, body: Callable[[T], dict[str, Any]], cursor: Callable[[T], str]) -> dict[str, Any]:
    """Return a page from rows of which at most `limit` belong to it."""
    shown = rows[:limit]
    return {"results": [body(row) for row in shown], "next": cursor(shown[-1]) if len(rows) > limit else None}


def read_cursor(cursor: str) -> int:
    if len(cursor) > MAX_ID_DIGITS or not cursor.isascii() or not cursor.isdigit():
        raise InvalidField("INVALID_CURSOR", "cursor must be the next of an earlier page.", field="cursor", value=echo(cursor))
    return int(cursor)
