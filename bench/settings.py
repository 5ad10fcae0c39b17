"""The exchange's settings with limits that a load generator on one address does not meet."""

from quantdesk.settings import *  # noqa: F403

RATE_LIMITS = dict.fromkeys(("reads", "orders", "address"), (10**9, 10**9))
SOCKETS_PER_ADDRESS = SOCKETS_PER_USER = 10_000
