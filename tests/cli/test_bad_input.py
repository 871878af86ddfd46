"""Whatever a user gets wrong is one clear line on stderr, and exit code 2."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cosmic.io.specs import load_scenario
from cosmic.workload.memory import memory_footprint

Cosmic = Callable[..., Any]  # the fixture that calls the command line


def refused(outcome: Any, *words: str) -> None:
    """Check that a command was refused in one line with these words in it."""
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    [line] = outcome.err.splitlines()
    assert line.startswith("cosmic: ")
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simulat"], "Did you mean 'simulate'"),
        (["simulate", "--sett", "dp=2"], "--sett"),
        (["simulate", "tiny.yml"], "no such file; did you mean 'tiny.yaml'"),
        (["simulate", "gpt3-175b-1024-device-v1"], "did you mean 'gpt3-175b-1024-dev"),
        (["simulate", "."], ".: is a folder, not a file"),
        (["simulate", "model.yaml"], "is a model; give a scenario or a study"),
        (["simulate", "a\0b"], "no scenario or study named"),
        (["simulate", "x" * 5000], "no scenario or study named"),
        (["search", "nowhere.yaml"], "no such file"),
        (["search", "--trials", "0"], "0 is not in the range x>=1"),
        (["search", "--seed", "-1"], "-1 is not in the range"),
        (["search", "--top", "none"], "not a valid integer"),
        (["search", "tiny.yaml", "--scope", "full_stak"], "did you mean 'full_stack'?"),
        (["search", "tiny.yaml", "--objective", "runtme"], "did you mean 'runtime'?"),
        (["search", "tiny.yaml", "--agent", "genetc"], "did you mean 'genetic'?"),
        (["search", "tiny.yaml", "--option", "popul=3"], "did you mean 'population'?"),
        (["search", "tiny.yaml", "--option", "population"], "write key=value"),
        (["search", "tiny.yaml", "--option", "population=few"], "must be int"),
        (["search", "tiny.yaml", "--option", "population=1"], "at least 2, not 1"),
        (["search", "tiny.yaml", "--output", "no/such/log"], "there is no folder"),
        (["search", "tiny.yaml", "--resume"], "there is no such file"),
        (["search", "tiny.yaml", "--resume", "--output", "."], ".: is not a file"),
        (["compare", "tiny.yaml", "--seeds", "1,x"], "write whole numbers"),
        (["compare", "tiny.yaml", "--seeds", "1", "--seed", "1"], "not both"),
        (["compare", "tiny.yaml", "--objective", "cost"], "no objective named 'cost'"),
        (["count", "tiny.yaml", "--scope", "network"], "did you mean 'network_only'?"),
        (["presets", "modles"], "did you mean 'models'?"),
        (["presets", "show"], "name a preset"),
        (["presets", "models", "gpt3-13"], "did you mean 'gpt3-13b'?"),
        (["presets", "models", "demo-v1"], "no preset named 'demo-v1'"),
        (["presets", "show", "h100-sxm"], "write cosmic presets devices h100-sxm"),
        (["presets", "show", "gpt3-13"], "did you mean 'gpt3-13b'?"),
        (["check"], "Missing argument 'FILE|PRESET'"),
        (["check", "."], "is a folder"),
        (["check", "nowhere.yaml"], "no such file"),
        (["check", "gpt3-175"], "no such file"),
    ],
)
def test_a_wrong_word_is_one_line(
    cosmic: Cosmic, arguments: list[str], words: str
) -> None:
    refused(cosmic(*arguments), words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("dpp=2", "no setting named 'dpp'; did you mean"),
        ("dp", "write name=value"),
        ("dp=", "expected a whole number, got ''"),
        ("dp=2.5", "expected a whole number, got '2.5'"),
        ("dp=0", "must be from 1 to 2**40"),
        ("dp[0]=2", "dp is a single value"),
        ("dp=3", "dp x pp x sp = 3 x 1 x 1 = 3, which does not make up 8 devices"),
        ("dp=1", "8 does not divide 4"),  # tp is 8, and there are 4 heads
        ("peak_flops=1e13", "write a quantity with its unit, such as '1 FLOP/s'"),
        ("bandwidth[1]=200 GB", "'200 GB' is not in B/s"),
        ("bandwidth[2]=200 GB/s", "dimensions 0 to 1"),
        ("bandwidth=[200 GB/s]", "one value for each of the 2 dimensions"),
        ("bandwidth[0]=0 GB/s", "more than 0"),
        ("memory_capacity=-1 GB", "less than"),
        (
            "topology[0]=Rign",
            "one of Ring, FullyConnected, Switch, Mesh, Hypercube, not 'Rign'; did you",
        ),
        ("recompute=all", "must be one of none, selective, full, not 'all'"),
        ("tensor_sequence=yes", "must be one of true, false, not 'yes'"),
        ("all_reduce_algorithm[0]=rng", "did you mean 'ring'?"),
        ("all_reduce_algorithm[0]=direct0", "the window of direct<W> is a whole"),
        ("axis_order=data-first", "one of tensor-sequence-data-pipeline, "),
        ("placement=fastest", "did you mean 'fastest_first'?"),
        ("flat_rings=1", "must be one of true, false, not '1'"),
        ("active_chunks=0", "must be from 1 to 2**40, not 0"),
        ("oversubscription[1]=0.5", "must be from 1 to 1000, not 0.5"),
        ("oversubscription[1]=two", "expected a number, got 'two'"),
        ("oversubscription[0]=2", "dimension 0: only a Switch can be oversubscribed"),
        ("asymmetry[0]=nan", "must be from 0.001 to 1000, not nan"),
    ],
)
def test_a_design_that_cannot_be_is_one_line(
    cosmic: Cosmic, change: str, words: str
) -> None:
    refused(cosmic("simulate", "tiny.yaml", "--set", change), words)


def test_the_event_driven_simulator_is_not_given_what_would_fill_the_memory(
    cosmic: Cosmic,
) -> None:
    refused(
        cosmic("simulate", "--simulator", "event-driven"), "use the symmetric simulator"
    )


@pytest.mark.parametrize("verb", ["simulate", "search", "compare", "count", "check"])
@pytest.mark.parametrize(
    ("name", "edit", "words"),
    [
        ("tiny", ("batch:", "btach:"), "no key named 'btach'; did you mean 'batch'"),
        ("system", ("100 GB/s", "100 GB"), "'100 GB' is not in B/s"),
        ("system", ("500 GB/s", "500"), "such as '1 B/s' @ $.device.memory_bandwidth"),
        ("parameters", ("heads % tp == 0", "dp * tp == 3"), "no design point satisf"),
        ("parameters", ("heads % tp", "haeds % tp"), "did you mean 'heads'?"),
        ("model", ("heads: 4", "heads: 3"), "3 heads do not divide hidden = 256"),
        ("tiny", ("perf_per_bandwidth", "speed"), "no objective named 'speed'"),
    ],
)
def test_a_mistake_in_a_file_is_one_line(
    cosmic: Cosmic,
    folder: Path,
    verb: str,
    name: str,
    edit: tuple[str, str],
    words: str,
) -> None:
    file = folder / f"{name}.yaml"
    text = file.read_text(encoding="utf-8")
    assert edit[0] in text
    file.write_text(text.replace(*edit), encoding="utf-8")

    refused(cosmic(verb, "tiny.yaml"), ".yaml: ", words)


@pytest.mark.parametrize("verb", ["search", "compare"])
def test_a_device_too_small_for_any_design_is_told_before_the_search(
    cosmic: Cosmic, folder: Path, verb: str
) -> None:
    small = (folder / "system.yaml").read_text().replace("1 GB", "5 MB")
    (folder / "system.yaml").write_text(small)

    outcome = cosmic(verb, "tiny.yaml")

    refused(outcome, "a device has 5 MB", "least that any of the", "needs", "dp ")
    assert not (folder / "runs").exists()


def test_what_json_is_asked_for_is_refused_in_one_line_too(cosmic: Cosmic) -> None:
    refused(cosmic("search", "tiny.yaml", "--json", "--agent", "x"), "no agent named")


LOG = "runs/study-full_stack-seed1.jsonl"


@pytest.fixture
def log(cosmic: Cosmic, folder: Path) -> Path:
    """The log of a finished study."""
    assert cosmic("search", "study.yaml").code == 0
    return folder / LOG


def test_a_log_is_not_overwritten(cosmic: Cosmic, log: Path) -> None:
    before = log.read_bytes()

    refused(cosmic("search", "study.yaml"), LOG, "--resume", "--output")
    assert log.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\x00\xff\x1f\x8b" * 100, "is cut off"),
        (b"\x00\xff\x1f\x8b\n" * 100, "is not JSON"),
        (b'{"epoch": 1}\n', "is not the header of a cosmic trial log"),
        (b"kind: study\n", "is not JSON"),
    ],
)
def test_a_foreign_log_is_one_line_and_stays_as_it_is(
    cosmic: Cosmic, log: Path, content: bytes, words: str
) -> None:
    log.write_bytes(content)

    refused(cosmic("search", "study.yaml", "--resume"), words)
    assert log.read_bytes() == content


def test_a_log_whose_last_line_was_cut_off_goes_on_and_says_so(
    cosmic: Cosmic, log: Path
) -> None:
    whole = log.read_bytes()
    log.write_bytes(whole[:-10])
    cut = len(whole.splitlines(keepends=True)[-1]) - 10

    found = cosmic("search", "study.yaml", "--resume")
    assert found.code == 0
    assert found.err == (
        f"{LOG}: the last line was cut off, as by a kill; its {cut:,} bytes are in "
        f"{LOG}.damaged, and 23 trials are kept\n"
    )
    assert log.read_bytes() == whole


def test_a_damaged_log_is_one_line_and_can_be_repaired(
    cosmic: Cosmic, log: Path
) -> None:
    whole = log.read_bytes()
    damaged = whole[:-10] + b"\0" * 10
    log.write_bytes(damaged)

    refused(cosmic("search", "study.yaml", "--resume"), "is cut off", "--repair")
    assert log.read_bytes() == damaged

    assert cosmic("search", "study.yaml", "--repair").code == 0
    assert log.read_bytes() == whole


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (["--agent", "random"], "agent.name"),
        (["--objective", "runtime"], "objective"),
        (["--option", "population=9"], "agent.options.population"),
        (["--batch", "9"], "batch"),
    ],
)
def test_a_log_of_another_study_is_not_gone_on_with(
    cosmic: Cosmic, log: Path, arguments: list[str], key: str
) -> None:
    refused(cosmic("search", "study.yaml", "--resume", *arguments), f"with {key} =")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_a_full_disk_is_one_line(folder: Path) -> None:
    outcome = process("count", "tiny.yaml", stdout="/dev/full")

    assert outcome.returncode == 2
    assert outcome.stderr == "cosmic: No space left on device\n"


@pytest.mark.parametrize(
    "arguments", [["simulate", "nope"], ["check", "nope.yaml"], ["count", "--scpe"]]
)
def test_a_process_of_its_own_ends_in_one_line(
    folder: Path, arguments: list[str]
) -> None:
    outcome = process(*arguments)

    assert outcome.returncode == 2
    assert len(outcome.stderr.splitlines()) == 1


def process(
    *arguments: str, stdout: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "cosmic", *arguments]
    with open(stdout or "/dev/null", "w") as target:
        return subprocess.run(
            command, stdout=target, stderr=subprocess.PIPE, text=True, check=False
        )


def with_little_memory(folder: Path) -> None:
    """Let devices have just what the most frugal workload needs."""
    scenario = load_scenario(folder / "tiny.yaml")
    space = scenario.scope("workload_only").space
    points = map(space.point, space.enumerate())
    least = min(memory_footprint(scenario.configure(p).workload).total for p in points)
    system = (folder / "system.yaml").read_text().replace("1 GB", f"{least:.0f} B")
    (folder / "system.yaml").write_text(system)


def test_a_search_that_found_nothing_says_what_stood_against_it(
    cosmic: Cosmic, folder: Path
) -> None:
    with_little_memory(folder)

    outcome = cosmic("search", "tiny.yaml", "--agent", "random", "--trials", "1")

    refused(outcome, "none of the 1 trials is feasible", "'memory'", "too much")


def test_a_comparison_that_found_nothing_says_so(cosmic: Cosmic, folder: Path) -> None:
    with_little_memory(folder)

    outcome = cosmic("compare", "tiny.yaml", "--agent", "random", "--trials", "1")

    assert outcome.code == 0
    assert "The baseline is no answer itself: needs" in outcome.out
    assert "No design that full_stack tried is feasible" in outcome.out


def test_one_scope_alone_is_not_compared(cosmic: Cosmic, folder: Path) -> None:
    text = (folder / "parameters.yaml").read_text()
    (folder / "parameters.yaml").write_text(text.partition("scopes:")[0])

    refused(cosmic("compare", "tiny.yaml"), "fewer than two scopes")
    assert cosmic("count", "tiny.yaml", "--json").document["scopes"]["all"]["feasible"]
