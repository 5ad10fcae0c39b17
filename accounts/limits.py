"""Rate limits: token buckets in Redis, atomic, shared by every process.

A bucket is kept as one number: the time at which it will be full again. Taking tokens moves that time ahead, and is
refused where it would lie further ahead than an empty bucket needs to fill.
"""

import functools
import time
from typing import NamedTuple, cast

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from markets.errors import DomainError

TIMEOUT_SECONDS = 0.25
PAUSE_SECONDS = 1.0  # after a failure, nobody waits for the next time-out

# KEYS[1] bucket; ARGV microseconds that a token takes, capacity, tokens asked. Answers {taken, left, wait in us, full in us}.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local each, capacity, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local after = full_at + cost * each
local wait = after - now - capacity * each
if wait > 0 and cost > 0 then
  return {0, math.floor((capacity * each - full_at + now) / each), wait, full_at - now}
end
if cost > 0 then
  redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1)
end
return {1, math.floor((capacity * each - after + now) / each), 0, after - now}
"""


class Limit(NamedTuple):
    """A bucket's name, how many tokens it holds, and how many a second fill it."""

    name: str
    capacity: int
    per_second: float


class Taken(NamedTuple):
    """What a bucket answered. Times in milliseconds from now: until enough tokens are there, and until it is full."""

    allowed: bool
    limit: int
    remaining: int
    retry_ms: int
    reset_ms: int

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(time.time_ns() // 1_000_000 + self.reset_ms),
        }


class RateLimited(DomainError):
    code = "RATE_LIMITED"
    status = 429
    message = "Too many requests. Cancels are never refused for this."

    def __init__(self, taken: Taken) -> None:
        super().__init__(limit=taken.limit, retry_after_ms=taken.retry_ms)


class LimiterUnavailable(DomainError):
    code = "RATE_LIMITER_UNAVAILABLE"
    status = 503
    message = "New orders wait until their rate can be limited again. Cancels and reads work."


def limit(name: str) -> Limit:
    """Return a limit of settings.RATE_LIMITS."""
    return Limit(name, *settings.RATE_LIMITS[name])


class Buckets:
    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, retry=Retry(NoBackoff(), 0)
        )
        self._script = self._redis.register_script(_TAKE)
        self._paused_until = 0.0

    def take(self, limit: Limit, *, who: str, cost: int = 1) -> Taken:
        """Take tokens from someone's bucket; cost 0 only looks. LimiterUnavailable while Redis does not answer."""
        if time.monotonic() < self._paused_until:
            raise LimiterUnavailable
        try:
            answer = self._script(keys=[f"rate:{limit.name}:{who}"], args=[round(1_000_000 / limit.per_second), limit.capacity, cost])
        except redis.RedisError as error:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            raise LimiterUnavailable from error
        taken, left, wait_us, full_us = cast(list[int], answer)
        return Taken(bool(taken), limit.capacity, max(0, left), -(-wait_us // 1000), -(-full_us // 1000))


@functools.cache
def _buckets(url: str) -> Buckets:
    return Buckets(url)


def buckets() -> Buckets:
    return _buckets(settings.REDIS_URL)
