"""One pace for all machines that share a Redis or Valkey server: one atomic script, by the server's own clock."""

from __future__ import annotations

import logging
import math
import os
import secrets
from typing import Any, NamedTuple

import anyio
import anyio.to_thread

from ..errors import InvalidRequestError
from ..problems import Problem, ProblemCode
from . import kept_pace
from . import pacing as paces
from .pacers import Departure, PacerError, PacerLost, Reservation

logger: logging.Logger = logging.getLogger("picoworkers_async")

_TIMEOUT_SECONDS = 1.0
# What no waiting mends: a key of another kind, a server without scripts, a database that it has not.
_FOR_GOOD = (
    "WRONGTYPE",
    "unknown command",
    "ERR unknown command",
    "DB index",
    "invalid DB index",
    "ERR invalid DB",
)

# The time by the server's clock, in seconds; the rest is the arithmetic of pacing.py, where all clients meet.
_CLOCK = """
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
"""
_ARITHMETIC = """
local s = redis.call('HMGET', KEYS[1], 'next', 'departure', 'silent', 'margin', 'margin_at', 'first', 'epoch')
local action, number, name, held, until_held = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[5]), ARGV[6]
local next, departure, silent = tonumber(s[1]), tonumber(s[2]) or 0, tonumber(s[3]) or 0
local margin, margin_at = tonumber(s[4]) or LEAST, tonumber(s[5]) or now
local taking = action == 'reserve' or action == 'depart'
local distance_known = taking and number > 0 and number or INTERVAL
local first, epoch, most = s[6] == '1', s[7], now + PAUSE + RESERVED * distance_known
local function finite(time) return time and time > -HUGE and time < HUGE end
local sound = not (s[1] or s[7]) or finite(next) and finite(tonumber(s[2])) and finite(tonumber(s[3]))
  and finite(tonumber(s[4])) and finite(tonumber(s[5])) and epoch and #epoch < 65 and epoch:match('^%w+$')
-- Clocks of servers are set back, too.
if not sound or next and (math.max(next, departure, silent) > most or margin_at > now + PAUSE) then
  next, departure, silent, margin, margin_at, first, epoch = nil, 0, 0, LEAST, now, false, nil
end
margin, silent = math.max(LEAST, math.min(margin, MOST)), math.min(silent, now + PAUSE)
if not next then
  if action == 'give_back' then return {0, 0, 0, 0, 0, '', 0, sound and 1 or 0} end
  next, epoch = now, ARGV[4]
  if taking then next = now + number end
  departure = next
end
if name ~= epoch then held = nil end
local function micro(time) return string.format('%.6f', time) end
local function counted(due) return math.max(due, now - CATCH_UP) end
local margin_now = LEAST + (margin - LEAST) * 0.5 ^ (math.max(0, now - margin_at) / HALF_LIFE)
local at, following, sharers, rank = 0, 0, 0, 0
if action == 'reserve' then
  at = counted(math.max(next, silent))
  local distance = number * (1 + margin_now)
  if first then distance = math.max(distance, ALONE) end
  next, first = at + distance, false
  following = next
  redis.call('ZADD', KEYS[2], now, name)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 60)
  redis.call('EXPIRE', KEYS[2], 3600)
  for _, client in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    sharers = sharers + 1
    if client < name then rank = rank + 1 end
  end
elseif action == 'depart' then
  local kept = held and tonumber(until_held) > held
  if kept and micro(departure) == until_held and (now - held > STALE or silent > math.max(held, now)) then
    departure = held
  end
  at = counted(math.max(departure, silent))
  if kept and now - held <= STALE and silent <= math.max(held, now) then
    at, following = held, tonumber(until_held)
  elseif at > now and not held then
    following = at
  else
    following = at + number * (1 + margin_now)
    next, departure = math.max(next, following), math.max(departure, following)
  end
elseif action == 'pause' or action == 'widen' then
  if action == 'widen' and silent <= now then
    margin, margin_at = math.min(MOST, 2 * margin_now + LEAST), now
  end
  silent = math.max(silent, now + number)
  next, first = math.max(next, silent), true
elseif action == 'give_back' and micro(next) == until_held then
  next = held or next
end
redis.call('HSET', KEYS[1], 'next', micro(next), 'departure', micro(departure), 'silent', micro(silent),
  'margin', tostring(margin), 'margin_at', micro(margin_at), 'first', first and '1' or '0', 'epoch', epoch)
redis.call('EXPIRE', KEYS[1], 86400)
return {micro(at - now), micro(at), micro(following), sharers, rank, epoch, tostring(margin_now),
  sound and 1 or 0}
"""
for _name, _value in {
    "LEAST": paces.LEAST_MARGIN,
    "MOST": paces.MOST_MARGIN,
    "HALF_LIFE": paces.MARGIN_HALF_LIFE_SECONDS,
    "ALONE": paces.ALONE_SECONDS,
    "CATCH_UP": paces.CATCH_UP_SECONDS,
    "PAUSE": paces.MOST_RETRY_AFTER_SECONDS,
    "RESERVED": kept_pace.MOST_RESERVED * (1.0 + paces.MOST_MARGIN),
    "INTERVAL": kept_pace.UNKNOWN_INTERVAL_SECONDS,
    "HUGE": 1e15,
    "STALE": paces.STALE_AFTER_SECONDS,
}.items():
    _ARITHMETIC = _ARITHMETIC.replace(_name, repr(_value))


class RedisPacer:
    """Shares the pace of an account between all machines that use the same Redis or Valkey server.

    `url` is in redis-py's form, such as `redis://:password@host:6379/0`. Needs the extra `redis`. The clients'
    clocks do not matter. Raises `InvalidRequestError` for a `url` that is not a string, and `PacerError`, at the
    first call, for a password that is refused. While the server does not answer, clients go on with a share of
    the limit.
    """

    def __init__(self, url: str) -> None:
        given: object = url
        if not isinstance(given, str):
            # Not shown: whatever it is, it may hold a password.
            limit = "a string, such as redis://host:6379/0"
            problem = Problem("url", type(given), limit, ProblemCode.TYPE)
            raise InvalidRequestError("RedisPacer", [problem], sends=False)
        try:
            import redis
        except ImportError:
            raise ImportError("RedisPacer needs redis; install `picoworkers-async[redis]`") from None
        self._errors = redis.exceptions
        try:
            self._redis = redis.Redis.from_url(
                url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
            )
        except ValueError as error:
            raise PacerError(f"RedisPacer: the url cannot be used ({error})") from None
        self._script = self._redis.register_script(_CLOCK + _ARITHMETIC)
        self._account: str | None = None
        self._told_of_nonsense = False
        self._token = secrets.token_hex(8)

    def __repr__(self) -> str:
        return "RedisPacer(...)"

    def bind(self, account: str) -> None:
        if self._account is None:
            self._account = account

    def close(self) -> None:
        """Close the connections to the server."""
        self._redis.close()

    async def reserve(self, interval: float) -> Reservation:
        # A copy of this object in a forked process is another client; redis-py makes its connections anew there.
        answer = await self._run("reserve", interval, f"{self._token}-{os.getpid()}")
        return Reservation(*answer.times, answer.sharers, answer.rank, answer.epoch, answer.margin)

    async def depart(self, interval: float, held: Departure | None) -> Departure:
        times = () if held is None else (held.at, held.until)
        answer = await self._run("depart", interval, "" if held is None else held.epoch, *times)
        return Departure(*answer.times, answer.epoch)

    async def give_back(self, reservation: Reservation) -> None:
        await self._run("give_back", 0.0, reservation.epoch, reservation.slot, reservation.until)

    async def pause(self, seconds: float, *, widen: bool) -> None:
        await self._run("widen" if widen else "pause", min(seconds, paces.MOST_RETRY_AFTER_SECONDS), "")

    async def _run(self, action: str, number: float, name: str, *times: float) -> _Answer:
        """Run the script in a thread; a cancellation waits for its answer, a second at most, and loses no slot."""
        prefix = f"picoworkers:{{{self._account or 'default'}}}"
        keys = [f"{prefix}:pace", f"{prefix}:clients"]
        arguments = [action, f"{number:.6f}", name, secrets.token_hex(8), *(f"{time:.6f}" for time in times)]
        try:
            with anyio.CancelScope(shield=True):
                # A limiter belongs to one event loop, and the program's own must not keep this waiting.
                answer: Any = await anyio.to_thread.run_sync(
                    lambda: self._script(keys=keys, args=arguments), limiter=anyio.CapacityLimiter(1)
                )
        except self._errors.AuthenticationError as error:
            raise PacerError(f"RedisPacer: the server refuses the password ({error})") from None
        except self._errors.NoPermissionError as error:
            raise PacerError(f"RedisPacer: the user may not do this ({error})") from None
        except self._errors.RedisError as error:
            if "NOAUTH" in str(error) or "WRONGPASS" in str(error):
                raise PacerError(f"RedisPacer: the server asks for a password ({error})") from None
            if str(error).startswith(_FOR_GOOD):
                raise PacerError(f"RedisPacer: the server cannot be used ({error})") from None
            raise PacerLost(f"{type(error).__name__}: {error}") from None
        understood = _understood(answer)
        if not understood.sound and not self._told_of_nonsense:
            self._told_of_nonsense = True
            logger.warning("RedisPacer: the state in %s cannot be read; it starts over", keys[0])
        return understood


class _Answer(NamedTuple):
    times: tuple[float, float, float]
    sharers: int
    rank: int
    epoch: str
    margin: float
    sound: bool


def _understood(answer: Any) -> _Answer:
    """The script's answer. Raises `PacerError` for anything that it cannot have said."""
    try:
        wait, at, until, sharers, rank, epoch, margin, sound = answer
        times = (float(wait), float(at), float(until))
        result = _Answer(times, int(sharers), int(rank), epoch.decode(), float(margin), bool(sound))
        if all(map(math.isfinite, (*times, result.margin))):
            return result
    except (TypeError, ValueError, AttributeError, OverflowError):
        pass
    raise PacerError(
        "RedisPacer: the server's answers are not those of the pacer's script; is it Redis or Valkey?"
    )
