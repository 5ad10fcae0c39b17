"""The language between gateways and the engine's runner: frames of messages, over a Unix or a TCP socket.

A frame is four bytes of length (big-endian) and a msgpack array of messages: whatever one side had to say in one turn of
its loop. A link starts with `Hello`. Requests carry an id of the link's own, and their answers name it; `Published` comes
unasked for watched topics.
"""

import hashlib
import hmac
import struct
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from markets.commands import AnyCommand
from markets.queries import AnyQuery
from markets.views import Reply

VERSION = 1
MAX_FRAME_BYTES = 16 * 1024 * 1024
MAX_BODY_BYTES = 4 * 1024 * 1024  # beyond which a sender begins another frame
LENGTH = struct.Struct(">I")
ARRAY = struct.Struct(">BI")
ARRAY_32 = 0xDD  # msgpack's marker of an array whose length is four bytes


class FrameError(Exception):
    """The other side does not speak this language; the link is closed."""


class Hello(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """The first message of a link. `token` proves knowledge of the secret key, which TCP links must."""

    version: int
    token: str


class Submit(msgspec.Struct, frozen=True, array_like=True, tag=1, gc=False):
    id: int
    command: AnyCommand


class Ask(msgspec.Struct, frozen=True, array_like=True, tag=2, gc=False):
    id: int
    query: AnyQuery


class Watch(msgspec.Struct, frozen=True, array_like=True, tag=3):
    id: int
    topic: str


class Unwatch(msgspec.Struct, frozen=True, array_like=True, tag=4):
    id: int
    topic: str


class Hold(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """From now on the loss of this link cancels the session's orders."""

    id: int
    account_id: int
    session_id: int


class Release(msgspec.Struct, frozen=True, array_like=True, tag=6):
    id: int
    account_id: int
    session_id: int


class Ping(msgspec.Struct, frozen=True, array_like=True, tag=7):
    id: int


class Replied(msgspec.Struct, frozen=True, array_like=True, tag=20, gc=False):
    id: int
    reply: Reply


class Answered(msgspec.Struct, frozen=True, array_like=True, tag=21):
    """The answer's type follows from the query's, which the asker knows."""

    id: int
    answer: msgspec.Raw


class Done(msgspec.Struct, frozen=True, array_like=True, tag=22):
    id: int


class Busy(msgspec.Struct, frozen=True, array_like=True, tag=23):
    """The queue is full; the request was not looked at."""

    id: int


class Malformed(msgspec.Struct, frozen=True, array_like=True, tag=24):
    """The request does not fit its type: a bug of the sender."""

    id: int
    message: str


class Published(msgspec.Struct, frozen=True, array_like=True, tag=25):
    """A feed message. With an id it is the snapshot that answers a Watch; the topic's deltas follow it."""

    id: int
    topic: str
    seq: int
    payload: bytes


ClientMessage = Hello | Submit | Ask | Watch | Unwatch | Hold | Release | Ping
ServerMessage = Replied | Answered | Done | Busy | Malformed | Published

encoder = msgspec.msgpack.Encoder()
client_decoder = msgspec.msgpack.Decoder(list[ClientMessage])
server_decoder = msgspec.msgpack.Decoder(list[ServerMessage])
_loose_decoder = msgspec.msgpack.Decoder(list[msgspec.Raw])
_client_message_decoder = msgspec.msgpack.Decoder(ClientMessage)
_any_decoder = msgspec.msgpack.Decoder(list[Any])


def frames(messages: Iterable[bytes]) -> bytes:
    """Return messages that are encoded already as one frame, or as several when they are too much for one."""
    items: list[bytes] = []
    size = 0
    made = []
    for item in messages:
        if items and size + len(item) > MAX_BODY_BYTES:
            made.append(_frame(items))
            items, size = [], 0
        items.append(item)
        size += len(item)
    return b"".join([*made, _frame(items)])


def _frame(items: list[bytes]) -> bytes:
    body = b"".join(items)
    return LENGTH.pack(ARRAY.size + len(body)) + ARRAY.pack(ARRAY_32, len(items)) + body


def frames_of(messages: list[Any]) -> bytes:
    """Return messages as one frame, or as several when they are too much for one; `msgspec.Raw` goes in as it is."""
    body = encoder.encode(messages)
    if len(body) > MAX_BODY_BYTES and len(messages) > 1:
        middle = len(messages) // 2
        return frames_of(messages[:middle]) + frames_of(messages[middle:])
    return LENGTH.pack(len(body)) + body


def decode_each(body: bytes) -> Iterator[ClientMessage | Malformed]:
    """Decode a client's frame of which something is wrong, message by message, so that only the wrong one is refused."""
    for item in _loose_decoder.decode(body):
        try:
            yield _client_message_decoder.decode(item)
        except (msgspec.ValidationError, OverflowError) as error:
            yield Malformed(id=_request_id(item), message=str(error))


def _request_id(item: msgspec.Raw) -> int:
    fields = _any_decoder.decode(item)
    if len(fields) < 2 or not isinstance(fields[1], int):
        raise FrameError("a message without an id")
    return fields[1]


def token(secret_key: str) -> str:
    """Return what both ends of a TCP link derive from the secret key that they share."""
    return hmac.new(secret_key.encode(), b"quantdesk engine link", hashlib.sha256).hexdigest()


class Frames:
    """Cuts a stream of bytes into the bodies of its frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take what was received; yield the body of each frame that is complete."""
        if self._buffer:
            self._buffer += data
            data = bytes(self._buffer)
        start = 0
        while len(data) - start >= LENGTH.size:
            (size,) = LENGTH.unpack_from(data, start)
            if size > MAX_FRAME_BYTES:
                raise FrameError(f"a frame of {size} bytes")
            end = start + LENGTH.size + size
            if end > len(data):
                break
            yield data[start + LENGTH.size : end]
            start = end
        self._buffer = bytearray(data[start:])
