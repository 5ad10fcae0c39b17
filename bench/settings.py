"""The exchange's settings with limits that a load generator on one address does not meet."""

from quantdesk.settings import *  # noqa: F403


RATE_LIMITS = {name: (10**9, 10**9) for name in ("reads", "orders", "address")}
SOCKETS_PER_ADDRESS = SOCKETS_PER_USER = 10_000
