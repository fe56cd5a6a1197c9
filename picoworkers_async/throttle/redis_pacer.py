"""One pace for all machines that share a Redis or Valkey server: one atomic script, by the server's own clock."""

from __future__ import annotations

import secrets
from typing import Any

import anyio
import anyio.to_thread

from . import pacing as paces
from .pacers import PacerError, PacerLost, Reservation

_ALONE = 1.0
_TIMEOUT = 1.0

# The same arithmetic as pace.py, where all clients meet. Times are seconds of the server's clock.
_SCRIPT = """
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
local s = redis.call('HMGET', KEYS[1], 'next', 'silent', 'margin', 'margin_at', 'first', 'epoch')
local action, interval = ARGV[1], tonumber(ARGV[2])
local next, silent = tonumber(s[1]), tonumber(s[2]) or 0
local margin, margin_at = tonumber(s[3]) or LEAST, tonumber(s[4]) or now
local first, epoch = s[5] == '1', s[6]
if not next then
  if action == 'look' or action == 'give_back' then return {'0', '0', '0', '0', 0, 0, ARGV[4], '0'} end
  next, epoch = now + (action == 'reserve' and interval or 0), ARGV[4]
end
local margin_now = LEAST + (margin - LEAST) * 0.5 ^ (math.max(0, now - margin_at) / HALF_LIFE)
local slot, sharers, rank = 0, 0, 0
if action == 'reserve' then
  slot = math.max(now, next, silent)
  local distance = interval * (1 + margin_now)
  if first then distance = math.max(distance, ALONE) end
  next, first = slot + distance, false
  redis.call('ZADD', KEYS[2], now, ARGV[3])
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 60)
  redis.call('EXPIRE', KEYS[2], 3600)
  for _, client in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    sharers = sharers + 1
    if client < ARGV[3] then rank = rank + 1 end
  end
elseif action == 'pause' or action == 'widen' then
  if action == 'widen' and silent <= now then
    margin, margin_at = math.min(MOST, 2 * margin_now + LEAST), now
  end
  silent = math.max(silent, now + interval)
  next, first = math.max(next, silent), true
elseif action == 'give_back' and string.format('%.6f', next) == ARGV[3] then
  next = interval
end
redis.call('HSET', KEYS[1], 'next', string.format('%.6f', next), 'silent', string.format('%.6f', silent),
  'margin', tostring(margin), 'margin_at', string.format('%.6f', margin_at),
  'first', first and '1' or '0', 'epoch', epoch)
redis.call('EXPIRE', KEYS[1], 86400)
return {string.format('%.6f', slot - now), string.format('%.6f', slot), string.format('%.6f', next),
  string.format('%.6f', silent - now), sharers, rank, epoch, tostring(margin_now)}
"""
for _name, _value in {
    "LEAST": paces.LEAST_MARGIN,
    "MOST": paces.MOST_MARGIN,
    "HALF_LIFE": paces.HALF_LIFE,
    "ALONE": _ALONE,
}.items():
    _SCRIPT = _SCRIPT.replace(_name, repr(_value))


class RedisPacer:
    """Shares the pace of an account between all machines that use the same Redis or Valkey server.

    `url` is as redis-py takes it, such as `redis://:password@host:6379/0`. Needs the extra `redis`. Clocks of the
    clients do not matter. Raises `PacerError`, at the first call, for a password that is refused; while the
    server does not answer, clients go on with a share of the limit.
    """

    def __init__(self, url: str) -> None:
        try:
            import redis
        except ImportError:
            raise ImportError("RedisPacer needs redis; install `picoworkers-async[redis]`") from None
        self._errors = redis.exceptions
        try:
            self._redis = redis.Redis.from_url(url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT)
        except ValueError as error:
            raise PacerError(f"RedisPacer: the url cannot be used ({error})") from None
        self._script = self._redis.register_script(_SCRIPT)
        self._account: str | None = None
        self._client = secrets.token_hex(8)
        self._threads = anyio.CapacityLimiter(1)

    def __repr__(self) -> str:
        return "RedisPacer(...)"

    def bind(self, account: str) -> None:
        if self._account is None:
            self._account = account

    def close(self) -> None:
        """Close the connections to the server."""
        self._redis.close()

    async def reserve(self, interval: float) -> Reservation:
        answer = await self._run("reserve", interval, self._client)
        wait, slot, until, _, sharers, rank, epoch, margin = answer
        times = (float(wait), float(slot), float(until))
        return Reservation(*times, int(sharers), int(rank), epoch.decode(), float(margin))

    async def silent_for(self) -> float:
        answer = await self._run("look", 0.0, "")
        return float(answer[3])

    async def give_back(self, reservation: Reservation) -> None:
        await self._run("give_back", reservation.slot, f"{reservation.until:.6f}")

    async def pause(self, seconds: float, *, widen: bool) -> None:
        await self._run("widen" if widen else "pause", seconds, "")

    async def _run(self, action: str, number: float, name: str) -> list[Any]:
        """Run the script in a thread; a cancellation waits for its answer, a second at most, and loses no slot."""
        prefix = f"picoworkers:{{{self._account or 'default'}}}"
        keys = [f"{prefix}:pace", f"{prefix}:clients"]
        arguments = [action, f"{number:.6f}", name, secrets.token_hex(8)]
        try:
            with anyio.CancelScope(shield=True):
                answer: Any = await anyio.to_thread.run_sync(
                    lambda: self._script(keys=keys, args=arguments), limiter=self._threads
                )
        except self._errors.AuthenticationError as error:
            raise PacerError(f"RedisPacer: the server refuses the password ({error})") from None
        except self._errors.NoPermissionError as error:
            raise PacerError(f"RedisPacer: the user may not do this ({error})") from None
        except self._errors.RedisError as error:
            if "NOAUTH" in str(error) or "WRONGPASS" in str(error):
                raise PacerError(f"RedisPacer: the server asks for a password ({error})") from None
            raise PacerLost(f"{type(error).__name__}: {error}") from None
        result: list[Any] = answer
        return result
