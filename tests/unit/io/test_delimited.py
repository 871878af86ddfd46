"""Files of messages behind their lengths."""

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.errors import TraceError
from cosmic.io.delimited import length_prefix, read_messages


@given(st.lists(st.binary(max_size=300), max_size=20), st.booleans())
def test_what_is_framed_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, messages: list[bytes], packed: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "messages"
    data = b"".join(length_prefix(len(m)) + m for m in messages)
    path.write_bytes(gzip.compress(data) if packed else data)

    assert [message for _, message in read_messages(path)] == messages


def test_messages_go_on_over_the_pieces_that_are_read(tmp_path: Path) -> None:
    draw = random.Random(0)
    messages = [draw.randbytes(draw.randrange(3_000_000)) for _ in range(4)]
    path = tmp_path / "messages"
    path.write_bytes(b"".join(length_prefix(len(m)) + m for m in messages))
    ends = [0]
    for m in messages:
        ends.append(ends[-1] + len(length_prefix(len(m))) + len(m))

    assert list(read_messages(path)) == list(zip(ends, messages, strict=False))


def _bomb() -> bytes:
    """110 MB of messages of 100,000 zeros, in 110 kB."""
    return gzip.compress((length_prefix(100_000) + bytes(100_000)) * 1100)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda: b"\x01a\x05abc", "cut off: 4 bytes of a message are left @ byte 2"),
        (lambda: b"\x01a\x80", "cut off: 1 bytes of a message are left @ byte 2"),
        (lambda: b"\xff\xff\xff\xff\x0f", "4,294,967,295 bytes, more than 16,777,216"),
        (lambda: b"\x80" * 40, "a message of 18,446,744,073,709,551,616 bytes"),
        (lambda: gzip.compress(b"\x01a" * 99)[:-9], "not a sound gzip file"),
        (lambda: b"\x1f\x8bnonsense", "not a sound gzip file"),
        (_bomb, "unpacks to more than 256 times its size"),
    ],
    ids=["message", "length", "long", "endless", "packed", "not-packed", "bomb"],
)
def test_a_damaged_file_is_refused_where_it_is_damaged(
    tmp_path: Path, data: Callable[[], bytes], words: str
) -> None:
    path = tmp_path / "w.0.et"
    path.write_bytes(data())

    with pytest.raises(TraceError, match=r"^w\.0\.et: .* @ byte [\d,]+$") as caught:
        for _ in read_messages(path):
            pass

    assert words in str(caught.value)
