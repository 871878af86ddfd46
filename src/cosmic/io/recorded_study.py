"""RecordedStudy: what a trial log holds, read with every check."""

import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cosmic.errors import StudyError
from cosmic.io.trial_record import RecordError, decode, decode_trial
from cosmic.search.trial import RecordedTrial

FORMAT = "cosmic trial log"
SCHEMA = 1  # grows when a file of the new kind cannot be read by the old code
UNCHANGED = "nothing was changed"
_BEGINNING = b'{"number":'  # of every line that holds a trial

LONGEST_LINE = 1 << 24  # bytes; no trial comes near it, and other files may


@dataclass(frozen=True, slots=True)
class RecordedStudy:
    """What a trial log holds.

    Attributes:
        header: All that the trials depend on.
        trials: Every trial, in order.
        cut_off: Whether a last line was left out that is not whole: it is being
            written, or was cut off by a kill.
    """

    header: Mapping[str, object]
    trials: tuple[RecordedTrial, ...]
    cut_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What was found in the file of a trial log.

    Attributes:
        study: What is sound of it: the header, and the trials before any damage.
        end: Where that ends, in bytes.
        damage: The first thing wrong after it, with file and line; empty if none.
    """

    study: RecordedStudy
    end: int
    damage: str = ""

    def check_sound(self, path: Path) -> None:
        """Refuse a damaged log, saying what can be kept of it.

        A last line that was cut off, as a kill leaves it, is no damage.

        Raises:
            StudyError: If it is one.
        """
        if not self.study.cut_off:
            _refuse(path, self.damage, len(self.study.trials))

    def check_header(
        self, path: Path, expected: Mapping[str, object], may_differ: Collection[str]
    ) -> None:
        """Refuse a log that was written under another header.

        Raises:
            StudyError: Naming the first key that differs.
        """
        found = first_difference(self.study.header, expected, may_differ)
        if "shards" in self.study.header and "shards" not in expected:
            raise StudyError(
                f"{path}: was merged from searches that learned on their own, so that "
                f"no search goes on with it; {UNCHANGED}. Resume their logs, and merge "
                f"them again"
            )
        if found is not None:
            key, old, new = found
            raise StudyError(
                f"{path}:1: the log was written with {key} = {old}, but now it is "
                f"{new}; {UNCHANGED}. Ask for the same, or give a new file"
            )


def first_difference(
    old: Mapping[str, object],
    new: Mapping[str, object],
    may_differ: Collection[str] = (),
) -> tuple[str, str, str] | None:
    """The first key in which two headers differ, and what each says; None if none."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    for key in dict.fromkeys([*after, *before]):
        if key.split(".")[0] in may_differ or before.get(key) == after.get(key):
            continue
        return key, _shown(before, key), _shown(after, key)
    return None


def damaged_file(path: Path) -> Path:
    """Where a repair moves the damaged end of a log."""
    return path.with_name(f"{path.name}.damaged")


def check_file(path: Path) -> None:
    """Refuse what is no file, such as a folder or a pipe.

    Raises:
        StudyError: If it is no file.
        OSError: If there is nothing of that name.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise StudyError(f"{path}: is not a file; {UNCHANGED}. Give a trial log")


def scan(path: Path) -> Content:
    """Read a trial log up to its end or to what is wrong with it.

    Raises:
        StudyError: If not even its first line is that of a trial log.
        OSError: If it cannot be read.
    """
    reader = LogReader(path)
    trials = tuple(reader)
    study = RecordedStudy(reader.header, trials, reader.cut_off)
    return Content(study=study, end=reader.end, damage=reader.damage)


class LogReader:
    """Reads the trials of a log one by one, up to what is wrong with it.

    Args:
        path: The trial log.

    Attributes:
        header: All that the trials depend on.
        count: How many trials were read so far.
        end: Where the last of them ends, in bytes.
        damage: The first thing wrong after it, with file and line; empty if none.
        cut_off: Whether that is only the end of a last line, as a kill leaves it.

    Raises:
        StudyError: If not even the first line is that of a trial log.
        OSError: If it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.header, self.end = _read_header(path)
        self.count = 0
        self.damage = ""
        self.cut_off = False
        self._path = path

    def __iter__(self) -> Iterator[RecordedTrial]:
        """Every sound trial, in order."""
        return (trial for _, trial in self._read())

    def lines(self) -> Iterator[bytes]:
        """The line of every sound trial, in order."""
        return (line for line, _ in self._read())

    def _read(self) -> Iterator[tuple[bytes, RecordedTrial]]:
        with self._path.open("rb") as file:
            file.seek(self.end)
            while line := file.readline(LONGEST_LINE):
                try:
                    _check_whole(line)
                    trial = decode_trial(line, self.count)
                except RecordError as error:
                    self.damage = f"{self._path}:{self.count + 2}: the line {error}"
                    self.cut_off = _is_cut_off(line)
                    break
                self.end += len(line)
                self.count += 1
                yield line, trial

    def check_sound(self) -> None:
        """Refuse a log in which something wrong was found, saying what can be kept.

        Raises:
            StudyError: If it is damaged.
        """
        _refuse(self._path, self.damage, self.count)


def _refuse(path: Path, damage: str, kept: int) -> None:
    if damage:
        raise StudyError(
            f"{damage}; {UNCHANGED}. With --repair the {kept} whole trials before it "
            f"are kept, and the rest is moved to {damaged_file(path)}"
        )


def read_header(path: Path) -> Mapping[str, object]:
    """The header of a trial log.

    Raises:
        StudyError: If it is no trial log.
        OSError: If it cannot be read.
    """
    return _read_header(path)[0]


def _read_header(path: Path) -> tuple[Mapping[str, object], int]:
    """The header of a trial log, and where it ends, in bytes."""
    check_file(path)
    with path.open("rb") as file:
        return _header(path, file.readline(LONGEST_LINE)), file.tell()


@contextmanager
def one_line_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into a `StudyError`."""
    try:
        yield
    except FileNotFoundError as error:
        raise StudyError(f"{path}: there is no such file") from error
    except OSError as error:
        raise StudyError(
            f"{error.filename or path}: {error.strerror}; {UNCHANGED}. "
            f"Give a file that can be read and written"
        ) from error


def _header(path: Path, line: bytes) -> Mapping[str, object]:
    if not line:
        raise StudyError(
            f"{path}: the file is empty, so there is nothing to resume; "
            f"{UNCHANGED}. Delete it and start the study anew"
        )
    try:
        _check_whole(line)
        header = decode(line)
        if header.get("format") != FORMAT:
            raise RecordError(f"is not the header of a {FORMAT}")
        if header.get("schema") != SCHEMA:
            raise RecordError(
                f"is of schema {header.get('schema')!r:.40}, where {SCHEMA} is known"
            )
    except RecordError as error:
        raise StudyError(
            f"{path}:1: the line {error}; {UNCHANGED}. Give a trial log, or a new file"
        ) from error
    return header


def _is_cut_off(line: bytes) -> bool:
    """Whether a line is the beginning of one that was to be written."""
    begun = line[: len(_BEGINNING)] == _BEGINNING[: len(line)]
    ended = line.endswith(b"\n") or len(line) == LONGEST_LINE
    return begun and not ended and b"\0" not in line


def _check_whole(line: bytes) -> None:
    if len(line) == LONGEST_LINE:
        raise RecordError("is too long")
    if not line.endswith(b"\n"):
        raise RecordError("is cut off")


def _leaves(
    mapping: Mapping[str, object], prefix: str = ""
) -> Iterator[tuple[str, object]]:
    """The leaves of nested mappings, with dots between the keys."""
    for key, value in mapping.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _shown(values: Mapping[str, object], key: str) -> str:
    return f"{values[key]!r:.200}" if key in values else "not set"
