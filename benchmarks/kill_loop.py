"""Kills searches at random moments and resumes them: is anything lost?

    python benchmarks/kill_loop.py [--kills 50] [--workers 2] [--tear] -- demo-v1 ...

What stands after `--` is given to `cosmic search`. One search runs to its end first.
Then others, which are to end the same, are killed with SIGKILL again and again, a fifth
of them while they start, and resumed each time. After each kill

- the log must be the beginning of the first one, byte for byte, but for a last line
  that was cut off;
- it must hold no trial less than before;
- no process that the search has started may be left after a while: 30 seconds, for a
  worker that is starting has to get there first, and 180 with `--ray`, whose agents
  look for their parents now and then only.

With `--tear` the end of the log is torn off after every third kill, as by a power cut.
Whatever is wrong ends the loop with a line and exit code 1.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

_MARK = "COSMIC_KILL_LOOP"  # in the environment of every process that a search starts
_GRACE, _GRACE_OF_RAY = 30.0, 180.0  # seconds to notice that one's parent is gone
_STARTING = 0.2  # share of kills that come while the search starts
_TORN = 4000  # bytes that a power cut takes, at most


class LossError(Exception):
    """Something was lost, or left behind."""


@dataclass
class Tally:
    """What happened so far."""

    kills: int = 0
    before_any_trial: int = 0
    cut_off: int = 0
    torn: int = 0
    finished: int = 0
    grace: float = _GRACE
    slowest_end: float = 0.0
    trials: list[int] = field(default_factory=list)  # in the log at each kill


def main() -> None:
    """Loop, and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--tear", action="store_true", help="tear ends off too")
    parser.add_argument("--folder", help="where the logs are; deleted after")
    parser.add_argument("--workers", type=int)
    parser.add_argument("search", nargs="*", help="what cosmic search is given")
    given = parser.parse_args()
    search = [*(given.search or ["demo-v1"])]
    if given.workers:
        search += ["--workers", str(given.workers)]
    start = time.perf_counter()
    try:
        with TemporaryDirectory(dir=given.folder) as folder:
            done = loop(search, Path(folder), given.kills, given.seed, tear=given.tear)
    except LossError as error:
        sys.exit(f"FAULT: {error}")
    print(
        f"{done.kills} kills, {done.before_any_trial} of them before any trial; "
        f"{done.cut_off} left a last line cut off, {done.torn} ends were torn off; "
        f"{done.finished} searches came to their end, each with the same log, byte for "
        f"byte; no process was left, the last one gone {done.slowest_end:.2f} s after "
        f"its parent; {time.perf_counter() - start:.0f} s"
    )


def loop(
    search: Sequence[str], folder: Path, kills: int, seed: int, *, tear: bool = False
) -> Tally:
    """Kill a search so many times, and let it end.

    Raises:
        LossError: If anything is lost or left.
    """
    whole, log = folder / "whole.jsonl", folder / "killed.jsonl"
    start_search(search, whole, uuid.uuid4().hex).wait()
    expected = whole.read_bytes()
    moments = random.Random(seed)
    tally = Tally(grace=_GRACE_OF_RAY if "--ray" in search else _GRACE)
    while tally.kills < kills:
        if not live_and_die(search, log, expected, moments, tally):
            begin_anew(log, expected, tally)
        elif tear and tally.kills % 3 == 0:
            tear_off(log, expected, moments, tally)
    if start_search(search, log, uuid.uuid4().hex).wait():
        raise LossError("the last search failed; see its message above")
    begin_anew(log, expected, tally)
    return tally


def live_and_die(
    search: Sequence[str],
    log: Path,
    expected: bytes,
    moments: random.Random,
    tally: Tally,
) -> bool:
    """Resume a search and kill it; false if it came to its end before."""
    mark = uuid.uuid4().hex
    before = trials(log)
    process = start_search(search, log, mark)
    wait_for_moment(process, log, len(expected), moments)
    process.send_signal(signal.SIGKILL)
    killed = time.perf_counter()
    code = process.wait()
    await_end(mark, killed, tally)
    if code == 0:
        return False
    if code != -signal.SIGKILL:
        raise LossError(f"the search ended with code {code}; see its message above")
    tally.kills += 1
    check(log, expected, before, tally)
    return True


def start_search(
    search: Sequence[str], log: Path, mark: str
) -> subprocess.Popen[bytes]:
    """A search, begun or resumed, whose processes bear the mark."""
    command = [sys.executable, "-m", "cosmic", "search", *search, "--output", str(log)]
    if log.exists():
        command.append("--resume")
    environment = os.environ | {_MARK: mark}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)


def wait_for_moment(
    process: subprocess.Popen[bytes], log: Path, end: int, moments: random.Random
) -> None:
    """Wait until the log has grown by some bytes, or only for a moment."""
    size = log.stat().st_size if log.exists() else 0
    wanted = size + moments.random() * max(0.3 * (end - size), 0.02 * end)
    latest = time.monotonic() + 600
    if moments.random() < _STARTING:
        latest, wanted = time.monotonic() + moments.uniform(0, 2), float("inf")
    while process.poll() is None and time.monotonic() < latest:
        if log.exists() and log.stat().st_size > wanted:
            time.sleep(moments.uniform(0, 0.05))
            return
        time.sleep(0.001)


def check(log: Path, expected: bytes, before: int, tally: Tally) -> None:
    """See that the log is the beginning of the expected one, and has not shrunk."""
    tally.trials.append(trials(log))
    tally.before_any_trial += tally.trials[-1] == 0
    if not log.exists():
        return
    text = log.read_bytes()
    if not expected.startswith(text):
        raise LossError(f"after kill {tally.kills} the log differs from the whole one")
    tally.cut_off += not text.endswith(b"\n")
    if tally.trials[-1] < before:
        raise LossError(
            f"kill {tally.kills} lost trials: {before} -> {tally.trials[-1]}"
        )


def await_end(mark: str, since: float, tally: Tally) -> None:
    """Wait until no process bears the mark."""
    while left := marked(mark):
        if time.perf_counter() - since > tally.grace:
            raise LossError(f"processes are left after kill {tally.kills}: {left}")
        time.sleep(0.005)
    tally.slowest_end = max(tally.slowest_end, time.perf_counter() - since)


def marked(mark: str) -> list[str]:
    """The processes that bear the mark and are not dead: number and command."""
    wanted, found = f"{_MARK}={mark}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found.append(f"{folder.name} {command.decode(errors='replace')[:80]}")
        except OSError:
            continue  # it ended, or is another user's
    return found


def tear_off(log: Path, expected: bytes, moments: random.Random, tally: Tally) -> None:
    """Take some of the end of a log, as a power cut does; never of its header."""
    if log.exists():
        head = expected.index(b"\n") + 1
        size = log.stat().st_size
        os.truncate(log, max(head, size - moments.randrange(1, _TORN)))
        tally.torn += 1


def begin_anew(log: Path, expected: bytes, tally: Tally) -> None:
    """Compare a finished log with the whole one, and delete it."""
    if log.read_bytes() != expected:
        raise LossError(
            f"a search that was killed and resumed ended in another log: {log}"
        )
    tally.finished += 1
    log.unlink()


def trials(log: Path) -> int:
    """How many whole trials a log holds."""
    return max(log.read_bytes().count(b"\n") - 1, 0) if log.exists() else 0


if __name__ == "__main__":
    main()
