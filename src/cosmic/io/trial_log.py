"""TrialLog: an append-only file of trials, from which a killed study resumes.

The file is JSON Lines. Line 1 is the header: all that the trials depend on (scenario,
parameter set, agent, seed, ...). Then follows one trial a line, in order. Trials are
written a batch at a time and are on the disk when `write` comes back. One process
at a time may write, which a lock beside the file (FILE.lock) sees to.

A kill at any moment leaves whole trials, and at most a last line that is cut off. That
line is set aside when the study goes on. Nothing else here mends a file unasked: what
is wrong with one is a `StudyError` of one line, and the file stays as it was. `repair`
sets the damaged end of a log aside.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from shutil import copyfileobj
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout
from typing_extensions import override

from cosmic.errors import StudyError
from cosmic.io.recorded_study import (
    FORMAT,
    SCHEMA,
    UNCHANGED,
    Content,
    RecordedStudy,
    check_file,
    damaged_file,
    one_line_errors,
    scan,
)
from cosmic.io.trial_record import decode, encode, encode_trial
from cosmic.search.trial import RecordedTrial, Trial, TrialSink


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What a repair did, or the beginning of a log that goes on.

    Attributes:
        kept: Trials that are left in the log.
        moved: Bytes that were set aside; 0 when the log was sound.
        damaged: The file to which they were moved.
    """

    kept: int
    moved: int
    damaged: Path


class TrialLog(TrialSink):
    """A trial log that is open for writing; made by `create` or `resume`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "study.jsonl")
    ...     with TrialLog.create(path, {"agent": "random", "seed": 0}) as log:
    ...         log.write([])
    ...     read_trial_log(path).header["agent"]
    'random'
    """

    def __init__(self, path: Path, file: FileIO, content: Content) -> None:
        self._path = path
        self._file = file
        self._study = content.study
        self._set_aside: Repair | None = None
        self._whole = (content.end, len(content.study.trials))  # bytes and trials
        self._opened = ExitStack()

    @classmethod
    def create(cls, path: str | Path, header: Mapping[str, object]) -> Self:
        """Start a log in a new file.

        Args:
            path: The file, which must not exist.
            header: All that the trials depend on, as JSON can hold it.

        Raises:
            StudyError: If the file exists or cannot be written.
        """
        path = Path(path)
        line = encode({"format": FORMAT, "schema": SCHEMA, **header})
        content = Content(study=RecordedStudy(decode(line), ()), end=len(line))
        with one_line_errors(path), ExitStack() as opened:
            _check_absent(path)
            opened.callback(_lock(path).release)
            _write_whole(path, line)
            log = cls(path, opened.enter_context(FileIO(path, "r+")), content)
            log._opened = opened.pop_all()
        return log

    @classmethod
    def resume(
        cls,
        path: str | Path,
        header: Mapping[str, object],
        may_differ: Collection[str] = ("budget",),
    ) -> Self:
        """Go on with the log of an interrupted study, or of one to be extended.

        A last line that was cut off is moved to FILE.damaged; see `set_aside`.

        Args:
            path: The file.
            header: What `create` would be given now.
            may_differ: Keys of the header on which the trials do not depend.

        Raises:
            StudyError: If the file is damaged or no trial log, if it was written
                under another header, or if another process is writing it.
        """
        path = Path(path)
        header = decode(encode({"format": FORMAT, "schema": SCHEMA, **header}))
        with one_line_errors(path), ExitStack() as opened:
            check_file(path)
            opened.callback(_lock(path).release)
            file = opened.enter_context(FileIO(path, "r+"))
            content = scan(path)
            content.check_sound(path)
            content.check_header(path, header, may_differ)
            log = cls(path, file, content)
            if content.study.cut_off:
                log._set_aside = _move_end(path, content)
            log._opened = opened.pop_all()
        return log

    @property
    def set_aside(self) -> Repair | None:
        """What was done about a last line that was cut off; None if there was none."""
        return self._set_aside

    @property
    @override
    def name(self) -> str:
        return str(self._path)

    @property
    def header(self) -> Mapping[str, object]:
        """All that the trials depend on."""
        return self._study.header

    @property
    @override
    def recorded(self) -> Sequence[RecordedTrial]:
        return self._study.trials

    @override
    def write(self, trials: Sequence[Trial]) -> None:
        count = self._whole[1]
        unwritten = [trial for trial in trials if trial.number >= count]
        if unwritten:
            if unwritten[0].number > count:
                raise StudyError(
                    f"{self._path}: trial {unwritten[0].number} cannot follow the "
                    f"{count} that are recorded"
                )
            lines = b"".join(map(encode_trial, unwritten))
            self._append(lines, len(unwritten))

    def close(self) -> None:
        """Close the file and let others write."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _append(self, lines: bytes, trials: int) -> None:
        """Write at the end of what is whole; done twice, it gives the same file."""
        end, count = self._whole
        try:
            self._file.seek(end)
            left = memoryview(lines)
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            with suppress(OSError):  # what stays is found damaged, and can be repaired
                self._file.truncate(end)
            raise StudyError(
                f"{self._path}: cannot be written: {error.strerror}; the log holds "
                f"{count} whole trials and can be resumed"
            ) from error
        self._whole = (end + len(lines), count + trials)


def read_trial_log(path: str | Path) -> RecordedStudy:
    """Read a trial log for viewing; it may be in use.

    A last line that is not whole, as one that is being written, is left out.

    Raises:
        StudyError: If the file is damaged or no trial log.
    """
    path = Path(path)
    with one_line_errors(path):
        check_file(path)
        content = scan(path)
        content.check_sound(path)
    return content.study


def repair(path: str | Path) -> Repair:
    """Keep the whole trials of a log; move what follows to FILE.damaged.

    What is moved is added to that file if it exists, so that nothing is ever lost.

    Raises:
        StudyError: If not even the header is whole, or if another process is
            writing the log.
    """
    path = Path(path)
    with one_line_errors(path), ExitStack() as opened:
        check_file(path)
        opened.callback(_lock(path).release)
        return _move_end(path, scan(path))


def _move_end(path: Path, content: Content) -> Repair:
    """Move what follows the whole trials of a log to the file for it."""
    damaged = damaged_file(path)
    with path.open("r+b") as file:
        moved = file.seek(0, os.SEEK_END) - content.end
        if moved:
            file.seek(content.end)
            with damaged.open("ab") as aside:
                copyfileobj(file, aside)
                aside.flush()
                os.fsync(aside.fileno())
            file.truncate(content.end)
            os.fsync(file.fileno())
    return Repair(kept=len(content.study.trials), moved=moved, damaged=damaged)


def _write_whole(path: Path, content: bytes) -> None:
    """Make a file that is there with all its content, or not at all."""
    new = path.with_name(f"{path.name}.new")
    try:
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError as error:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise StudyError(
            f"{path}: cannot be written: {error.strerror}; {UNCHANGED}. "
            f"Give a file that can be written"
        ) from error
    with suppress(OSError):  # some file systems do not sync folders
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _check_absent(path: Path) -> None:
    if path.exists():
        raise StudyError(
            f"{path}: the file exists already; {UNCHANGED}. "
            f"Resume its study, or give a new file"
        )
    if not path.parent.is_dir():
        raise StudyError(f"{path}: there is no folder {str(path.parent)!r}")


def _lock(path: Path) -> FileLock:
    """The lock on a log, taken."""
    lock = FileLock(f"{path}.lock", timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        if not Path(lock.lock_file).exists():
            raise StudyError(
                f"{lock.lock_file}: cannot be written; {UNCHANGED}. "
                f"Give a file in a folder that can be written"
            ) from error
        raise StudyError(
            f"{path}: another process is writing it; {UNCHANGED}. "
            f"Wait until that ends, or give a new file"
        ) from error
    return lock
