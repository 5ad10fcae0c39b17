"""What an action answers: partials and a toast for htmx; for a plain form a message and the page again."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from markets.errors import DomainError
from trading.views import words
from trading.views.account import account_context, account_view

View = Callable[..., HttpResponse]


class Toast(NamedTuple):
    """What a success is told with; a later toast of the same key replaces this one."""

    title: str
    text: str = ""
    key: str = ""


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def unprocessable(error: DomainError) -> int:
    """Return the status of a form that comes back with an error."""
    return max(error.status, 422)


def signed_in(view: View) -> View:
    """Send visitors who are not logged in to the log-in page, and from there to the page they were on; htmx is told to go there."""

    @functools.wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        answer = redirect_to_login(_page_of(request, kwargs))
        if is_htmx(request):
            return HttpResponse(status=204, headers={"HX-Redirect": answer["Location"]})
        return answer

    return wrapper


def _page_of(request: HttpRequest, kwargs: dict[str, Any]) -> str:
    """Return the page that a request belongs to: a market's, or for a part of the risk page that page."""
    if "symbol" in kwargs:
        return reverse("trading:trade", args=[kwargs["symbol"]])
    return reverse("risk:risk") if is_htmx(request) or request.method == "POST" else request.get_full_path()


def action(view: View) -> View:
    """Answer an expected failure with an alert that says what to do; nothing else on the page changes."""

    @functools.wraps(view)
    def wrapper(request: HttpRequest, symbol: str, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, symbol, **kwargs)
        except DomainError as error:
            return failed(request, symbol, error)

    return signed_in(wrapper)


def page(view: View) -> View:
    """Answer with a plain page while the engine or the tables cannot be read, instead of a failure."""

    @functools.wraps(view)
    def wrapper(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, **kwargs)
        except DomainError as error:
            if error.status < 500:
                raise
            answer = render(request, "503.html", status=503)
            answer["Retry-After"] = "2"
            return answer

    return wrapper


def done(request: HttpRequest, symbol: str, toast: Toast, *, partials: str = "", **context: Any) -> HttpResponse:
    """Answer a success: a toast, the private tables, and the partials of a template."""
    if not is_htmx(request):
        messages.success(request, f"{toast.title}. {toast.text}".strip())
        return redirect("trading:trade", symbol)
    context |= account_context(account_view(request)) | toast._asdict() | {"kind": "good", "partials": partials}
    return render(request, "trading/_done.html", context)


def failed(request: HttpRequest, symbol: str, error: DomainError) -> HttpResponse:
    text = words.refusal(error).text
    if not is_htmx(request):
        messages.error(request, text)
        return redirect("trading:trade", symbol)
    return render(request, "trading/_failed.html", {"kind": "bad", "title": text}, status=error.status)
