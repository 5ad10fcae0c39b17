"""What every page's frame needs: display settings, the current page, field errors."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

THEMES = (("dark", "Dark"), ("light", "Light"), ("system", "System"))
UPDOWNS = (("green-red", "Green and red"), ("blue-orange", "Blue and orange"))


@dataclass(frozen=True, slots=True)
class Display:
    theme: str
    updown: str
    themes: tuple[tuple[str, str], ...] = THEMES
    updowns: tuple[tuple[str, str], ...] = UPDOWNS


@register.simple_tag(takes_context=True)
def display(context: dict[str, Any]) -> Display:
    """Return how the visitor wants the page to look, from two cookies; anything unknown is the default."""
    cookies = getattr(context.get("request"), "COOKIES", {})
    return Display(theme=chosen(cookies.get("qd_theme"), THEMES), updown=chosen(cookies.get("qd_updown"), UPDOWNS))


def chosen(value: str | None, choices: tuple[tuple[str, str], ...]) -> str:
    """Return the value when it is one of the choices, else the first choice."""
    return value if value in dict(choices) else choices[0][0]


@register.simple_tag(takes_context=True)
def current(context: dict[str, Any], namespace: str) -> SafeString:
    """Mark the navigation's link to the app whose page this is."""
    match = getattr(context.get("request"), "resolver_match", None)
    return SafeString(' aria-current="page"' if match and match.namespace == namespace else "")


@register.simple_tag
def lookup(mapping: dict[str, str], key: str) -> str:
    return mapping.get(key, "")


@register.simple_tag
def field_error(form: Any, name: str) -> SafeString:
    """Tie a ticket's field to the error below it."""
    described = format_html(' aria-describedby="ticket-{}-error"', name)
    return described + SafeString(' aria-invalid="true"') if name in form.errors else described
