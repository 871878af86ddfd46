"""Files of messages, each behind its length: read within bounds, and written.

The length is a varint: seven bits a byte, lowest first, the high bit set on all bytes
but the last. A file may be packed with gzip, whatever its name. No file can make the
reader hold more than a piece of it and one message, or unpack without end.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from cosmic.errors import TraceError

LONGEST_MESSAGE = 16 * 2**20  # bytes
_PIECE = 2**20  # bytes read at a time
_LONGEST_LENGTH = 10  # bytes of a varint of 64 bits
_MOST_UNPACKED = 256  # bytes out of one packed byte, beyond the slack
_UNPACKED_SLACK = 64 * 2**20  # bytes
_GZIP_MARK = b"\x1f\x8b"


def read_messages(path: Path) -> Iterator[tuple[int, bytes]]:
    """Each message of a file with the place of its length, in (unpacked) bytes.

    Raises:
        TraceError: The file is cut off, a message is longer than 16 MiB, or it is no
            sound gzip file or one that unpacks to far more than its size.
        OSError: The file cannot be read.
    """
    rest, start = b"", 0
    for more in _pieces(path):
        piece = rest + more
        found, at = _split(piece)
        for place, message in found:
            yield start + place, message
        rest, start = piece[at:], start + at
        length, _ = _length(rest, 0)
        if length > LONGEST_MESSAGE:
            what = f"a message of {length:,} bytes, more than {LONGEST_MESSAGE:,}"
            raise _refusal(path, what, start)
    if rest:
        what = f"cut off: {len(rest):,} bytes of a message are left"
        raise _refusal(path, what, start)


def _split(piece: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """The whole messages in a piece, with their places, and where the rest begins."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(piece):
        length, start = piece[at], at + 1
        if length > 0x7F:
            length, start = _length(piece, at)
        end = start + length
        if length < 0 or end > len(piece):
            break
        found.append((at, piece[start:end]))
        at = end
    return found, at


def _length(piece: bytes, at: int) -> tuple[int, int]:
    """The length that stands at a place, and where it ends.

    It is -1 if it is cut off, and more than can be if it has no end.
    """
    length = shift = 0
    for byte in piece[at : at + _LONGEST_LENGTH]:
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return length, at + shift // 7
    return (2**64 if shift == 7 * _LONGEST_LENGTH else -1), at


def _pieces(path: Path) -> Iterator[bytes]:
    """The file piece by piece, unpacked."""
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        packed = file.read(2) == _GZIP_MARK
        file.seek(0)
        stream: IO[bytes] | gzip.GzipFile = file
        if packed:
            stream = stack.enter_context(gzip.GzipFile(fileobj=file))
        done = 0
        while piece := _piece(path, stream, done):
            done += len(piece)
            if packed and done > _UNPACKED_SLACK + _MOST_UNPACKED * file.tell():
                what = f"unpacks to more than {_MOST_UNPACKED} times its size"
                raise _refusal(path, what, done)
            yield piece


def _piece(path: Path, stream: IO[bytes] | gzip.GzipFile, done: int) -> bytes:
    try:
        return stream.read(_PIECE)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _refusal(path, f"not a sound gzip file ({error})", done) from error


def _refusal(path: Path, what: str, place: int) -> TraceError:
    return TraceError(f"{path.name}: {what} @ byte {place:,}")


def length_prefix(length: int) -> bytes:
    """A length as it stands before a message.

    >>> length_prefix(300).hex()
    'ac02'
    """
    prefix = bytearray()
    while length > 0x7F:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    return bytes(prefix)
