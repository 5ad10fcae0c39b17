"""Admin pages for tables that only the projector writes: they show, find and link, and never change anything.

Nothing here counts, scans or sorts a whole table: lists end after MAX_ROWS, searches are exact and indexed, filters have
fixed choices, and times are filtered by period, which leaves all but a few partitions unread.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast, get_args
from urllib.parse import urlencode

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from markets.fields import whole_number

MAX_ROWS = 10_000
PERIODS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}


if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
    AnyModelAdmin = admin.ModelAdmin[Any]
else:  # Django's own classes take no parameters at run time
    AnyPaginator, AnyModelAdmin = Paginator, admin.ModelAdmin


class BoundedPaginator(AnyPaginator):
    """Counts no further than MAX_ROWS: what lies beyond is reached by search and filters."""

    @cached_property
    def count(self) -> int:
        rows = cast(QuerySet[Any], self.object_list)
        return rows.order_by()[:MAX_ROWS].count()


class ReadOnlyAdmin(AnyModelAdmin):
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200
    actions: Any = None
    numbers: ClassVar[tuple[str, ...]] = ("id",)  # what a number in the search box is compared with
    texts: ClassVar[tuple[str, ...]] = ()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (*self.numbers, *self.texts)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """Find rows in which every word is one of the numbers or texts, exactly."""
        for word in search_term.split():
            number = whole_number(word)
            names = (*self.texts, *(self.numbers if number is not None else ()))
            found = Q.create([(name, number if name in self.numbers else word) for name in names], connector=Q.OR)
            queryset = queryset.filter(found) if names else queryset.none()
        return queryset, False


def choices_filter(field: str, literal: Any, title: str = "") -> type[admin.SimpleListFilter]:
    """Filter by the words that a field can hold, without asking the table which it does."""

    class ChoicesFilter(admin.SimpleListFilter):
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(word, word.replace("_", " ")) for word in get_args(literal)]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{field: self.value()}) if self.value() in get_args(literal) else queryset

    ChoicesFilter.title = title or field.replace("_", " ")
    return ChoicesFilter


def period_filter(field: str, title: str) -> type[admin.SimpleListFilter]:
    """Filter by how long ago something happened."""

    class PeriodFilter(admin.SimpleListFilter):
        parameter_name = "period"

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(name, f"last {name}") for name in PERIODS]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            period = PERIODS.get(self.value() or "")
            return queryset.filter(**{f"{field}__gte": timezone.now() - period}) if period else queryset

    PeriodFilter.title = title
    return PeriodFilter


def row_link(model: str, key: Any, text: Any = None) -> SafeString | str:
    """Link to a row's page by its model (`trading.order`); an empty key gives a dash."""
    if key in (None, 0, ""):
        return "-"
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{model.replace('.', '_')}_change", args=[key]), key if text is None else text)


def list_link(model: str, text: str, **filters: Any) -> SafeString:
    """Link to the rows of a model that the filters leave."""
    address = reverse(f"admin:{model.replace('.', '_')}_changelist")
    return format_html('<a href="{}?{}">{}</a>', address, urlencode(filters), text)


def links(*parts: SafeString | str) -> SafeString:
    return format_html_join(" · ", "{}", ((part,) for part in parts))


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> SafeString:
    """Return a plain table for a row's page."""
    head = format_html_join("", '<th scope="col">{}</th>', ((heading,) for heading in headings))
    lines = [(format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows]
    if not lines:
        return format_html("<p>{}</p>", "None.")
    return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, format_html_join("", "<tr>{}</tr>", lines))
