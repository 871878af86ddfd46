"""Feeds the Chakra reader with damaged traces: it reads them, or refuses in one line.

    python tools/fuzz_chakra.py [--count 100000] [--seed 0]

Small sound traces of every layout, plain and packed, are damaged at random: bits
flipped, bytes set, lengths blown up, pieces cut, doubled, moved or taken from another
trace. What the reader makes of each must be a trace, or a `TraceError` of one line that
names the file, and within a second.
"""

import argparse
import gzip
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from cosmic.errors import TraceError
from cosmic.io.chakra import read_rank_trace
from cosmic.io.chakra_schema import SCHEMA
from cosmic.io.delimited import length_prefix

LONGEST = 1.0  # seconds for a trace of a few hundred bytes


Trace = list[bytes]
"""The messages of a file."""


def seeds() -> list[Trace]:
    """Sound traces of each layout."""
    return [_current(), _attributes(july=False), _attributes(july=True), _flat()]


def damaged(trace: Trace, others: list[Trace], draw: random.Random) -> bytes:
    """A file of the trace with one to four things wrong with it.

    Half of the files have one message damaged and lengths that are right, so that what
    is wrong lies deep; the others are damaged as a whole. Some are packed, before
    or after that.
    """
    pieces = [message for other in others for message in other]
    if draw.random() < 0.5:
        messages = _shuffled(trace, draw)
        at = draw.randrange(len(messages))
        messages[at] = _hurt(messages[at], pieces, draw)
        data = _framed(messages)
    else:
        data = _hurt(_framed(trace), pieces, draw)
    match draw.randrange(8):
        case 0:
            return gzip.compress(data, mtime=0)
        case 1:
            return _hurt(gzip.compress(_framed(trace), mtime=0), pieces, draw)
        case _:
            return data


def _shuffled(trace: Trace, draw: random.Random) -> Trace:
    """The messages, now and then one too many, one too few, or in another order."""
    messages = list(trace)
    at = draw.randrange(len(messages))
    match draw.randrange(8):
        case 0 if len(messages) > 1:
            del messages[at]
        case 1:
            messages.insert(at, draw.choice(trace))
        case 2:
            draw.shuffle(messages)
        case _:
            pass
    return messages


def _hurt(data: bytes, others: list[bytes], draw: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(draw.choice((0, 1, 1, 2, 4))):
        draw.choice(_DAMAGES)(found, others, draw)
    return bytes(found)


def fuzz(count: int, seed: int, folder: Path) -> Counter[str]:
    """Read so many damaged traces; gives how often each thing came out.

    Raises:
        AssertionError: The reader did something else; names the file with the trace.
    """
    draw = random.Random(seed)
    sound = seeds()
    outcomes: Counter[str] = Counter()
    path = folder / "damaged.et"
    for _ in range(count):
        data = damaged(draw.choice(sound), sound, draw)
        path.write_bytes(data)
        began = time.process_time()
        outcomes[_outcome(path)] += 1
        took = time.process_time() - began
        assert took < LONGEST, f"{path}: took {took:.1f} s"
    return outcomes


def _outcome(path: Path) -> str:
    """What became of a trace; for one that is refused, why, but for numbers."""
    try:
        read_rank_trace(path, 0)
    except TraceError as error:
        line = str(error)
        assert line.startswith(f"{path.name}: "), f"{path}: {line}"
        assert line.isprintable(), f"{path}: {line!r}"
        assert len(line) < 300, f"{path}: {line}"
        words = line.removeprefix(f"{path.name}: ").split(" @ ")[0].split()
        return " ".join(word for word in words if word.isalpha())
    except BaseException as error:
        raise AssertionError(f"{path}: {type(error).__name__}: {error}") from error
    return "read"


def _cut(data: bytearray, _: list[bytes], draw: random.Random) -> None:
    del data[draw.randrange(len(data) + 1) :]


def _flip(data: bytearray, _: list[bytes], draw: random.Random) -> None:
    if data:
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def _set(data: bytearray, _: list[bytes], draw: random.Random) -> None:
    if data:
        value = draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))
        data[draw.randrange(len(data))] = value


def _insert(data: bytearray, _: list[bytes], draw: random.Random) -> None:
    at = draw.randrange(len(data) + 1)
    data[at:at] = draw.randbytes(draw.randint(1, 12))


def _blow_up(data: bytearray, _: list[bytes], draw: random.Random) -> None:
    at = draw.randrange(len(data) + 1)
    data[at : at + 1] = b"\xff" * draw.randint(1, 11) + b"\x01"


def _remove(data: bytearray, _: list[bytes], draw: random.Random) -> None:
    at = draw.randrange(len(data) + 1)
    del data[at : at + draw.randint(1, 40)]


def _double(data: bytearray, _: list[bytes], draw: random.Random) -> None:
    at = draw.randrange(len(data) + 1)
    to = draw.randrange(len(data) + 1)
    data[to:to] = data[at : at + draw.randint(1, 60)] * draw.randint(1, 3)


def _graft(data: bytearray, others: list[bytes], draw: random.Random) -> None:
    other = draw.choice(others)
    at = draw.randrange(len(other))
    to = draw.randrange(len(data) + 1)
    data[to : to + draw.randint(0, 60)] = other[at : at + draw.randint(1, 60)]


_DAMAGES: tuple[Callable[[bytearray, list[bytes], random.Random], None], ...] = (
    *(_cut, _flip, _flip, _set, _set, _insert, _blow_up, _remove, _double, _graft),
)


def _framed(messages: Trace) -> bytes:
    return b"".join(length_prefix(len(each)) + each for each in messages)


def _current() -> Trace:
    """Computations, a collective over some dimensions, a send and a receive."""

    def attribute(name: str, **value: object) -> bytes:
        made: bytes = SCHEMA.attribute(name=name, **value).SerializeToString()
        return made

    dimensions = SCHEMA.attribute(name="involved_dim")
    dimensions.bool_list.values.extend([True, False])
    size = attribute("comm_size", int64_val=1 << 20)
    tag = attribute("comm_tag", int32_val=3)
    compute = (
        attribute("num_ops", int64_val=7),
        attribute("tensor_size", uint64_val=9),
    )
    collective = (
        attribute("comm_type", int64_val=2),
        attribute("pg_name", string_val="4"),
        dimensions.SerializeToString(),
    )
    send = (attribute("comm_dst", int32_val=1), tag)
    receive = (attribute("comm_src", int32_val=1), tag)
    nodes = [
        SCHEMA.node(id=0, name="a", type=4, attr=compute),
        SCHEMA.node(id=1, name="b", type=7, data_deps=[0], attr=[*collective, size]),
        SCHEMA.node(id=2, type=5, data_deps=[0, 1], attr=[*send, size]),
        SCHEMA.node(id=3, type=6, ctrl_deps=[1], attr=[*receive, size]),
        SCHEMA.node(id=9, type=4, data_deps=[2, 3], duration_micros=5, attr=compute),
    ]
    metadata = SCHEMA.metadata(version="0.0.4")
    return [each.SerializeToString() for each in (metadata, *nodes)]


def _attributes(*, july: bool) -> Trace:
    """The same in schema 0.0.3, as it was in July or in August 2023."""
    schema = SCHEMA.attributes_of_2023[july]
    kind = 2 if july else 3  # an `int`

    def attribute(name: str, value: int) -> bytes:
        made: bytes = schema(name=name, type=kind, int=value).SerializeToString()
        return made

    compute = [attribute("runtime", 5), attribute("is_cpu_op", 0)]
    gather = [attribute("comm_type", 2), attribute("comm_size", 4096)]
    nodes = [
        SCHEMA.attribute_node(id=4, name="a", type=4, attribute=compute),
        SCHEMA.attribute_node(id=6, name="b", type=7, parent=[4], attribute=gather),
    ]
    return [each.SerializeToString() for each in nodes]


def _flat() -> Trace:
    """The same in schema 0.0.1."""
    nodes = [
        SCHEMA.flat_node(id=0, name="a", type=3, num_ops=5, simulated_run_time=2),
        SCHEMA.flat_node(id=1, type=6, parent=[0], comm_type=3, comm_size=8),
    ]
    return [each.SerializeToString() for each in nodes]


def main() -> None:
    """Fuzz the reader and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = fuzz(given.count, given.seed, Path(folder))
    for outcome, times in outcomes.most_common(40):
        sys.stdout.write(f"{times:>9,}  {outcome}\n")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    took = time.perf_counter() - began
    sys.stdout.write(f"{given.count:,} traces in {took:.0f} s; {peak:.0f} MiB\n")


if __name__ == "__main__":
    main()
