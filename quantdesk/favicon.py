"""The icon where browsers look for it by themselves: pages that are not ours, such as the admin's, name none."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    return redirect(static("img/icon.svg"))
