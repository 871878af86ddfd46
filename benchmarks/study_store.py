"""How long large trial logs take to open: prints a table and asserts nothing.

    python benchmarks/study_store.py [--trials 1000000] [--folder DIR]

A log of that many trials is made of the trials of a real search, again and again with
new numbers and digests, in a folder that is deleted after. Then every command runs in a
process of its own, as people run it.
"""

import argparse
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

_NUMBER_AND_DIGEST = re.compile(rb'^\{"number":\d+,"digest":"[0-9a-f]{16}"')
_READ_LINE_BY_LINE = """
import sys
sys.modules["duckdb"] = None
from cosmic.cli.main import main
main()
"""


def main() -> None:
    """Make a log and print what each command takes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1_000_000)
    parser.add_argument("--folder", help="where there is room for 1 GB a million")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        log, tenth = folder / "log.jsonl", folder / "tenth.jsonl"
        make_log(folder, log, given.trials)
        make_log(folder, tenth, given.trials // 10)
        print(f"{given.trials:,} trials, {log.stat().st_size / 1e9:.2f} GB")
        study = ("study", str(log), "--json")
        measure("cosmic study", *study)
        measure("cosmic study --objective runtime", *study, "--objective", "runtime")
        for suffix in ("parquet", "csv"):
            table = folder / f"table.{suffix}"
            measure(
                f"cosmic export, {suffix}", "export", str(log), "--output", str(table)
            )
            print(f"    {table.stat().st_size / 1e6:,.0f} MB")
        slow = ("study", str(tenth), "--json")
        measure("cosmic study without DuckDB, a tenth", *slow, code=_READ_LINE_BY_LINE)


def make_log(folder: Path, log: Path, trials: int) -> None:
    """A log of so many trials, made of those of a search of 2,000."""
    real = folder / "real.jsonl"
    if not real.exists():
        search = ("search", "demo-v1", "--trials", "2000", "--output", str(real))
        run(sys.executable, "-m", "cosmic", *search)
    head, *lines = real.read_bytes().splitlines(keepends=True)
    rests = [_NUMBER_AND_DIGEST.sub(b"", line) for line in lines]
    digest = random.Random(0)
    with log.open("wb") as file:
        file.write(head)
        for number, rest in zip(range(trials), cycle(rests), strict=False):
            drawn = b'{"number":%d,"digest":"%016x"' % (number, digest.getrandbits(64))
            file.write(drawn + rest)


def measure(what: str, *arguments: str, code: str = "") -> None:
    """Run a command; print what it takes, and the most memory of any so far."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    run(sys.executable, *(("-c", code) if code else ("-m", "cosmic")), *arguments)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"  {what:<40} {seconds:6.1f} s, {busy:6.1f} s of processors "
        f"(memory up to {after.ru_maxrss / 1e6:.2f} GB so far)"
    )


def run(*command: str) -> None:
    """Run a command, its output left out."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
