"""Every reply of the API says what is left of the caller's rate."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.api.rates import address_of
from accounts.limits import LimiterUnavailable, RateLimited, buckets, limit
from quantdesk.api.errors import API_PREFIX, json_error


class RateLimitMiddleware:
    """Views charge the account that asks, or the address of who is anonymous (accounts.api.rates).

    What ended before that, such as a wrong signature or an unknown address, is charged to the network address here, and
    answers 429 once that has nothing left: guessing is limited, too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith(API_PREFIX):
            return response
        taken = getattr(request, "rate", None)
        if taken is None:
            try:
                taken = buckets().take(limit("address"), who=address_of(request))
            except LimiterUnavailable:
                return response  # nothing is known of the rate while Redis is away
            if not taken.allowed:
                response = json_error(RateLimited(taken))
        for name, value in taken.headers().items():
            response.headers[name] = value
        return response
