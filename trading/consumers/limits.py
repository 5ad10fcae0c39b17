"""How much one socket, one user and one address may do. docs/socket.md states these numbers."""

from collections import Counter
from time import monotonic

from django.conf import settings

from markets.errors import DomainError

MAX_SUBSCRIPTIONS = 50
MESSAGES_A_SECOND = 20
MESSAGE_BURST = 100
REFUSALS_BEFORE_CLOSE = 200
MAX_IN_FLIGHT = 256  # order-entry requests of one socket that wait for their answers; reading stops there


class TooManyMessages(DomainError):
    code = "RATE_LIMITED"
    status = 429
    message = f"At most {MESSAGES_A_SECOND} messages a second. Cancels are never refused for this."


class TooManySubscriptions(DomainError):
    code = "TOO_MANY_SUBSCRIPTIONS"
    status = 429
    message = f"At most {MAX_SUBSCRIPTIONS} subscriptions a socket."


class TooManySockets(DomainError):
    code = "TOO_MANY_SOCKETS"
    status = 429
    message = "Too many sockets are open already."


class Allowance:
    """A token bucket of one socket's messages."""

    def __init__(self) -> None:
        self._tokens = float(MESSAGE_BURST)
        self._filled_at = monotonic()
        self.refusals = 0

    def take(self) -> bool:
        """Take one token; refusals in a row are counted."""
        now = monotonic()
        self._tokens = min(MESSAGE_BURST, self._tokens + (now - self._filled_at) * MESSAGES_A_SECOND)
        self._filled_at = now
        if self._tokens < 1:
            self.refusals += 1
            return False
        self._tokens -= 1
        self.refusals = 0
        return True


class Places:
    """Counts this process's sockets per key, and refuses one too many."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken: Counter[str] = Counter()

    def take(self, key: str) -> None:
        if self._taken[key] >= self._limit:
            raise TooManySockets(limit=self._limit)
        self._taken[key] += 1

    def leave(self, key: str) -> None:
        """Give a place back."""
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]


of_addresses = Places(settings.SOCKETS_PER_ADDRESS)
of_users = Places(settings.SOCKETS_PER_USER)
