"""The bodies of answers: unpacked, without ever holding more than a limit allows."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

# What is unpacked at a time: a small answer can unpack to a thousand times its size.
_PIECE_BYTES = 256 * 1024


class UnusableBodyError(Exception):
    """The body is larger than the limit, or cannot be unpacked."""


class Body:
    """The body of an answer as it comes in, unpacked: never more of it than `limit` bytes.

    `coding` is its Content-Encoding. Raises `UnusableBodyError`.
    """

    __slots__ = ("_inflating", "_limit", "_parts", "_received", "_size")

    def __init__(self, limit: int, coding: str) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = self._received = 0
        coding = coding.strip().lower()
        self._inflating = None if coding in ("", "identity") else _Inflating(coding)

    def feed(self, raw: bytes) -> None:
        """Take in the next part."""
        self._received += len(raw)
        for part in (raw,) if self._inflating is None else self._inflating.feed(raw):
            self._size += len(part)
            if self._size > self._limit:
                raise _too_large(self._limit)
            self._parts.append(part)
        if self._received > self._limit:
            raise _too_large(self._limit)

    def whole(self) -> bytes:
        """The whole body, once its end has come."""
        inflating, parts = self._inflating, self._parts
        if inflating is not None and self._received and not inflating.whole:
            raise UnusableBodyError(f"its {inflating.coding} body is cut short")
        return parts[0] if len(parts) == 1 else b"".join(parts)


async def read_body(response: Any, limit: int) -> bytes:
    """The unpacked body of a response of httpx or httpx2, at most `limit` bytes.

    A response that was read already (by a hook, or made whole by a transport in memory) is used as it is. Raises
    `UnusableBodyError`, and whatever the transport raises.
    """
    if response.is_closed or response.is_stream_consumed:
        content: bytes = response.content
        if len(content) > limit:
            raise _too_large(limit)
        return content
    body = Body(limit, response.headers.get("content-encoding", ""))
    async for raw in response.aiter_raw():
        body.feed(raw)
    return body.whole()


def _too_large(limit: int) -> UnusableBodyError:
    return UnusableBodyError(f"it is larger than max_response_bytes, {limit:,} bytes")


class _Inflating:
    """Unpacks piece by piece: gzip, or deflate with zlib's header or without (both are sent under that name)."""

    def __init__(self, coding: str) -> None:
        if coding not in ("gzip", "x-gzip", "deflate"):
            raise UnusableBodyError(f"its content-encoding is {coding[:40]!r}, which was not asked for")
        self.coding = coding
        self._head = b""
        self._unpacker: Any = zlib.decompressobj(zlib.MAX_WBITS | 16) if coding != "deflate" else None

    @property
    def whole(self) -> bool:
        """Whether the end of the packed data was reached."""
        return self._unpacker is not None and bool(self._unpacker.eof)

    def feed(self, raw: bytes) -> Iterator[bytes]:
        if self._unpacker is None:
            self._head += raw
            if len(self._head) < 2:
                return
            raw, self._head = self._head, b""
            with_header = raw[0] & 0x0F == zlib.DEFLATED and int.from_bytes(raw[:2], "big") % 31 == 0
            self._unpacker = zlib.decompressobj(zlib.MAX_WBITS if with_header else -zlib.MAX_WBITS)
        unpacker = self._unpacker
        while not unpacker.eof:
            try:
                part = unpacker.decompress(raw, _PIECE_BYTES)
            except zlib.error as error:
                raise UnusableBodyError(f"its {self.coding} body cannot be unpacked ({error})") from None
            if part:
                yield part
            raw = unpacker.unconsumed_tail
            if not raw and len(part) < _PIECE_BYTES:
                return
