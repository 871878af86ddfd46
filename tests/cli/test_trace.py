"""`cosmic trace`: a design goes out as traces, and traces are looked at."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cosmic.io.chakra import rank_files, read_rank_trace

Cosmic = Callable[..., Any]  # the fixture that calls the command line


def test_a_design_is_written_with_all_that_astra_sim_takes(
    cosmic: Cosmic, folder: Path
) -> None:
    outcome = cosmic("trace", "export", "tiny.yaml", "--output", "out", "--json")
    out = folder / "out"

    assert outcome.code == 0, outcome.err
    assert outcome.document["devices"] == 8
    assert len(rank_files(out / "trace")) == 8
    nodes = [len(read_rank_trace(path, 0).nodes) for path in rank_files(out / "trace")]
    assert sum(nodes) == outcome.document["nodes"]
    network = yaml.safe_load((out / "network.yml").read_text())
    assert network == {
        "topology": ["Ring", "Switch"],
        "npus_count": [4, 2],
        # 100 GB/s a device over two links, 50 GB/s over one, in units of 2**30
        "bandwidth": [50e9 / 2**30, 50e9 / 2**30],
        "latency": [100.0, 1000.0],
    }
    system = json.loads((out / "system.json").read_text())
    assert system["all-reduce-implementation"] == ["ring", "halvingDoubling"]
    assert (system["peak-perf"], system["local-mem-bw"]) == (10.0, 500.0)
    assert (system["preferred-dataset-splits"], system["endpoint-delay"]) == (2, 1)
    groups = json.loads((out / "comm_group.json").read_text())
    pairs = [[d, d + 4] for d in range(4)]  # dp is 2, which leaves 4 for tp
    assert sorted(groups.values()) == sorted([[0, 1, 2, 3], [4, 5, 6, 7], *pairs])


def test_what_astra_sim_does_otherwise_is_said_and_written(
    cosmic: Cosmic, folder: Path
) -> None:
    outcome = cosmic(
        "trace", "export", "tiny.yaml", "--set", "chunks=4", "--output", "out"
    )
    readme = (folder / "out" / "README.md").read_text()

    assert outcome.code == 0, outcome.err
    said = " ".join(outcome.out.split())
    assert "The endpoint delay of 0 ns is written as 1 ns" in said
    assert "The endpoint delay of 0 ns is written as 1 ns" in readme
    assert "changed by chunks=4" in readme
    assert "cosmic astra-sim --workload-configuration=out/trace" in said


def test_traces_are_summarized(cosmic: Cosmic) -> None:
    cosmic("trace", "export", "tiny.yaml", "--set", "pp=2", "--output", "out")
    whole = cosmic("trace", "show", "out/trace", "--json").document
    one = cosmic("trace", "show", "out/trace.3.et", "--json").document
    text = cosmic("trace", "show", "out/trace").out

    assert len(whole["ranks"]) == 8
    assert one["ranks"] == [whole["ranks"][3]]
    assert whole["unmatched_sends"] == whole["unmatched_receives"] == 0
    assert sum(r["sent"] for r in whole["ranks"]) == sum(
        r["received"] for r in whole["ranks"]
    )
    assert "out/trace: 8 ranks" in text
    assert "all_reduce" in text


def test_a_rank_without_its_peer_is_noticed(cosmic: Cosmic, folder: Path) -> None:
    cosmic("trace", "export", "tiny.yaml", "--set", "pp=2", "--output", "out")
    for rank in range(4, 8):
        (folder / "out" / f"trace.{rank}.et").unlink()
    text = " ".join(cosmic("trace", "show", "out/trace").out.split())

    assert "messages are sent and never received; the first is" in text
    assert "messages are awaited and never sent" in text


def test_an_exported_design_runs_as_long_as_it_was(cosmic: Cosmic) -> None:
    """A step, and the forward before it, which is not counted in a step."""
    one = ["--set", "dp=1", "--set", "tp=4", "--set", "pp=1", "--set", "sp=2"]
    cosmic("trace", "export", "tiny.yaml", *one, "--output", "out")
    system = ["--system", "system.yaml", "--set", "scheduling_policy=FIFO"]
    groups = ["--comm-group-configuration", "out/comm_group.json"]
    outcome = cosmic("trace", "run", "out/trace", *system, *groups, "--json")
    text = cosmic("trace", "run", "out/trace", *system, *groups).out
    simulated = cosmic("simulate", "tiny.yaml", *one, "--json").document

    assert outcome.code == 0, outcome.err
    step = simulated["metrics"]["runtime"]
    assert step < max(outcome.document["finish"]) < 1.5 * step
    assert "out/trace: 8 ranks" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "nothing"], "no trace files; they are named nothing.0.et"),
        (["show", "tiny.yaml"], "tiny.yaml: not a Chakra trace"),
        (["run", "nothing", "--system", "system.yaml"], "no trace files"),
        (["run", "nothing"], "Missing option '--system'"),
        (["run", "a", "--system", "nothing"], "no system named 'nothing'"),
        (["export", "tiny.yaml"], "Missing option '--output'"),
        (["export", "tiny.yaml", "--output", "."], "is not empty; name a new folder"),
        (["export", "tiny.yaml", "--output", "tiny.yaml"], "is not a folder"),
        (["export", "tiny.yaml", "--output", "o", "--set", "dp=3"], "devices"),
    ],
)
def test_a_mistake_is_one_line(
    cosmic: Cosmic, arguments: list[str], words: str
) -> None:
    outcome = cosmic("trace", *arguments)

    assert outcome.code == 2, outcome
    [line] = outcome.err.splitlines()
    assert words in line
