"""The logs of all shards of a study, merged into one."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from cosmic.errors import StudyError
from cosmic.io.recorded_study import (
    UNCHANGED,
    LogReader,
    first_difference,
    one_line_errors,
)
from cosmic.io.trial_record import decode, encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """What a merge wrote.

    Attributes:
        trials: How many trials.
        shards: From how many logs.
        one_study: Whether they are the very log of one search of the whole study.
        budget: How many trials the study is to have; None if no log says.
    """

    trials: int
    shards: int
    one_study: bool
    budget: int | None


@dataclass(slots=True)
class _Part:
    """The log of one shard, of which lines are taken."""

    path: Path
    reader: LogReader
    lines: Iterator[bytes]
    index: int
    taken: int = 0

    def take(self, count: int) -> list[bytes]:
        """The next lines, or as many as there are left."""
        lines = list(islice(self.lines, count))
        if len(lines) < count and not self.reader.cut_off:
            self.reader.check_sound()
        self.taken += len(lines)
        return lines


def merge_studies(logs: Sequence[str | Path], output: str | Path) -> Merge:
    """Merge the logs of all shards of a study.

    Shards that took batches of one sequence give the very log that one search of the
    whole study writes, as far as it has no gap. Shards that searched on their own give
    a log with their batches in turn, whose trials are numbered anew, and whose header
    says how many trials came from which shard; it cannot be resumed.

    The output is there whole or not at all.

    Args:
        logs: One log of every shard, in any order.
        output: The file, which must not exist.

    Raises:
        StudyError: If the logs are not those of all shards of one study, one of them
            is damaged, or the output cannot be written.
    """
    output = Path(output)
    parts = _parts([Path(log) for log in logs])
    shard, header = _shard(parts[0]), dict(parts[0].reader.header)
    one_sequence = shard.get("one_sequence") is True
    batch = header.get("batch")
    if not isinstance(batch, int) or batch < 1:
        raise StudyError(f"{parts[0].path}:1: the header says nothing of its batches")
    _check_absent(output)
    del header["shard"]
    in_turn = _one_sequence(parts, batch) if one_sequence else _in_turn(parts, batch)
    with one_line_errors(output):
        trials = _write(output, header, in_turn, parts, one_study=one_sequence)
    return Merge(
        trials=trials,
        shards=len(parts),
        one_study=one_sequence,
        budget=_budget(parts[0].reader.header),
    )


def _parts(paths: Sequence[Path]) -> list[_Part]:
    """The logs in the order of their shards, which are all of one study."""
    parts = []
    for path in paths:
        with one_line_errors(path):
            reader = LogReader(path)
        part = _Part(path, reader, reader.lines(), 0)
        shard = _shard(part)
        if not _is_count(shard.get("index")) or not _is_count(shard.get("of")):
            raise StudyError(
                f"{path}: is the log of a whole study, not of a shard of one; "
                f"{UNCHANGED}"
            )
        part.index = shard["index"]
        parts.append(part)
    for part in parts[1:]:
        _check_same_study(parts[0], part)
    _check_complete(parts)
    return sorted(parts, key=lambda part: part.index)


def _check_same_study(one: _Part, other: _Part) -> None:
    found = first_difference(_study(one), _study(other))
    if found is not None:
        key, first, second = found
        raise StudyError(
            f"{other.path}: was written with {key} = {second}, but {one.path} with "
            f"{first}; {UNCHANGED}. Merge logs of one study"
        )


def _check_complete(parts: Sequence[_Part]) -> None:
    of = _shard(parts[0])["of"]
    seen: dict[int, Path] = {}
    for part in parts:
        if part.index in seen:
            raise StudyError(
                f"{part.path}: is of shard {part.index}, as {seen[part.index]} is; "
                f"{UNCHANGED}. Give one log of every shard"
            )
        seen[part.index] = part.path
    if len(parts) < of:
        first = next(index for index in range(1, of + 1) if index not in seen)
        raise StudyError(
            f"the logs are of {len(parts)} shards of {of}; that of shard {first} is "
            f"missing; {UNCHANGED}"
        )


def _one_sequence(parts: Sequence[_Part], batch: int) -> Iterator[bytes]:
    """Batches of one sequence, which may end anywhere but must have no gap."""
    while True:
        for part in parts:
            lines = part.take(batch)
            yield from lines
            if len(lines) < batch:
                _check_ended(part, parts)
                return


def _check_ended(short: _Part, parts: Sequence[_Part]) -> None:
    """Refuse trials that come after a gap."""
    for part in parts:
        if part is not short and part.take(1):
            raise StudyError(
                f"{short.path}: holds {short.taken:,} trials, so that those of shard "
                f"{part.index} leave a gap; {UNCHANGED}. Go on with it by --resume, "
                f"then merge"
            )


def _in_turn(parts: Sequence[_Part], batch: int) -> Iterator[bytes]:
    """A batch of each, and again, until all are at their end."""
    left = list(parts)
    while left:
        for part in tuple(left):
            lines = part.take(batch)
            yield from lines
            if len(lines) < batch:
                left.remove(part)


def _write(
    output: Path,
    header: dict[str, Any],
    lines: Iterator[bytes],
    parts: Sequence[_Part],
    *,
    one_study: bool,
) -> int:
    """Write the merged log, beside its place first; how many trials it holds.

    What is said of the shards is known at the end only: trials go to a file of their
    own before, if need be.
    """
    new, body = (output.with_name(f".{output.name}.{end}") for end in ("new", "trials"))
    try:
        count = 0
        with body.open("wb") as file:
            for count, line in enumerate(lines, start=1):
                file.write(_renumbered(line, count - 1))
        if not one_study:
            header["shards"] = {"trials": [part.taken for part in parts]}
        with new.open("wb") as file, body.open("rb") as trials:
            file.write(encode(header))
            while block := trials.read(1 << 22):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, output)
    finally:
        for path in (new, body):
            with suppress(OSError):
                path.unlink(missing_ok=True)
    return count


def _renumbered(line: bytes, number: int) -> bytes:
    """A line with another number, and all else as it was, byte for byte."""
    old = b'{"number":%d,' % (record := decode(line))["number"]
    if line.startswith(old):
        return b'{"number":%d,' % number + line[len(old) :]
    return encode({**record, "number": number})


def _shard(part: _Part) -> dict[str, Any]:
    found = part.reader.header.get("shard")
    return found if isinstance(found, dict) else {}


def _study(part: _Part) -> Mapping[str, object]:
    """What all shards of a study have in common; some may have been extended."""
    shard = {key: value for key, value in _shard(part).items() if key != "index"}
    header = {k: v for k, v in part.reader.header.items() if k != "budget"}
    return {**header, "shard": shard}


def _budget(header: Mapping[str, object]) -> int | None:
    found = header.get("budget")
    trials = found.get("trials") if isinstance(found, dict) else None
    return trials if isinstance(trials, int) else None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _check_absent(output: Path) -> None:
    if output.exists():
        raise StudyError(
            f"{output}: the file exists already; {UNCHANGED}. Give a new file"
        )
    if not output.parent.is_dir():
        raise StudyError(f"{output}: there is no folder {str(output.parent)!r}")
