"""LineIndex: where the lines of a large file are, found by looking at it once."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from cosmic.io.recorded_study import one_line_errors, read_header

_BLOCK = 1 << 22  # bytes that are looked at together


@dataclass(frozen=True, slots=True)
class LineIndex:
    """The whole lines of a trial log; what follows the last of them is not seen.

    Attributes:
        path: The file.
        ends: How many lines end in its first block, in its first two, and so on.
        rest: Bytes after the last whole line: one that is being written, or cut off.
    """

    path: Path
    ends: tuple[int, ...]
    rest: int

    @classmethod
    def of(cls, path: Path) -> "LineIndex":
        """Look at a trial log.

        Raises:
            StudyError: If it is no trial log or cannot be read.
        """
        with one_line_errors(path):
            read_header(path)
            size = path.stat().st_size  # what is written from now on is not seen
            counts, rest = [], 0
            for block in _blocks(path, size):
                counts.append(block.count(b"\n"))
                last = block.rfind(b"\n")
                rest = rest + len(block) if last < 0 else len(block) - last - 1
        return cls(path, tuple(accumulate(counts)), rest)

    @property
    def lines(self) -> int:
        """How many whole lines there are."""
        return self.ends[-1]

    def line(self, number: int) -> bytes:
        """One line, counted from 0, with its end."""
        block = bisect_left(self.ends, number)  # where the line before it ends
        before = self.ends[block - 1] if block else 0
        with self.path.open("rb") as file:
            file.seek(block * _BLOCK)
            for _ in range(number - before):
                file.readline()
            return file.readline()


def _blocks(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while size > 0 and (block := file.read(min(size, _BLOCK))):
            size -= len(block)
            yield block
