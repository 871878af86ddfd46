"""`cosmic astra-sim`: ASTRA-sim's command line, and its words."""

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.agreement.astra_sim_graphs import Node, traces_of

from cosmic.io.chakra_writer import write_rank_trace

Cosmic = Callable[..., Any]  # the fixture that calls the command line

TRACES = Path(__file__).parents[1] / "agreement/data/s8_pp8.tar.gz"
RING = '["ring"]'
SYSTEM = f"""{{
  "scheduling-policy": "LIFO", "endpoint-delay": 10, "preferred-dataset-splits": 4,
  "active-chunks-per-dimension": 1, "collective-optimization": "localBWAware",
  "all-reduce-implementation": {RING}, "all-gather-implementation": {RING},
  "reduce-scatter-implementation": {RING}, "all-to-all-implementation": {RING},
  "local-mem-bw": 2039, "roofline-enabled": 1, "peak-perf": 312
}}"""
NETWORK = """\
topology: [ Ring ]
npus_count: [ 8 ]
bandwidth: [ 150.0 ]  # GB/s
latency: [ 500.0 ]  # ns
"""
# measured with ASTRA-sim 518bd51, analytical back end: s8_pp8/ring4/unaware/ring8
LAST = (
    "[workload] [info] sys[0] finished, 3235739 cycles, "
    "exposed communication 1364045 cycles."
)


@pytest.fixture
def inputs(folder: Path) -> list[str]:
    """The options that name the files of a run of 8 ranks."""
    with tarfile.open(TRACES) as archive:
        archive.extractall(folder, filter="data")
    (folder / "system.json").write_text(SYSTEM)
    (folder / "network.yml").write_text(NETWORK)
    return [
        "--workload-configuration=s8_pp8/w",
        "--system-configuration=system.json",
        "--network-configuration=network.yml",
        "--comm-group-configuration=s8_pp8/w.json",
    ]


def test_each_rank_is_logged_as_astra_sim_logs_it(
    cosmic: Cosmic, inputs: list[str]
) -> None:
    outcome = cosmic("astra-sim", *inputs, "--num-queues-per-dim=1")

    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    finished = [line for line in lines if "finished" in line]
    assert len(finished) == 8
    assert LAST in finished
    cycles = [int(line.split(" ")[4]) for line in finished]
    assert cycles == sorted(cycles)  # in the order in which they finish
    assert "[statistics] [info] sys[0], GPU time: 1871694" in lines
    assert "1092 nodes of 8 ranks" in outcome.err


def test_json_holds_the_same_numbers(cosmic: Cosmic, inputs: list[str]) -> None:
    outcome = cosmic("astra-sim", *inputs, "--congestion", "aware", "--json")

    rank = outcome.document["ranks"][0]
    assert outcome.document["unit"] == "ns"
    assert (rank["rank"], rank["compute"]) == (0, 1871694)
    assert rank["finish"] == outcome.document["finish"]
    assert rank["exposed"] == rank["finish"] - rank["compute"]


def test_a_message_takes_longer_where_it_is_asked_for(
    cosmic: Cosmic, inputs: list[str], folder: Path
) -> None:
    message = {"id": 1, "comm_size": 1048576, "comm_tag": 7}
    nodes: list[list[Node]] = [
        [message | {"type": "send", "comm_dst": 1}],
        [message | {"type": "recv", "comm_src": 0}],
    ]
    for trace in traces_of(nodes):
        write_rank_trace(trace, folder / f"p2p.{trace.rank}.et")
    (folder / "network.yml").write_text(
        "{topology: [Switch], npus_count: [2], bandwidth: [100.0], latency: [1000.0]}"
    )
    (folder / "memory.json").write_text('{"memory-type": "NO_MEMORY_EXPANSION"}')
    inputs[0] = "--workload-configuration=p2p"
    inputs[-1] = "--remote-memory-configuration=memory.json"

    plain = cosmic("astra-sim", *inputs, "--json")
    asked = cosmic("astra-sim", *inputs, "--rendezvous-protocol=true", "--json")
    shared = cosmic("astra-sim", *inputs, "--congestion=aware", "--json")

    # as ASTRA-sim measures it: p2p and p2p-rendezvous in its edge cases
    assert plain.document["finish"] == 11765
    assert asked.document["finish"] == 13841
    assert shared.document["finish"] == 21530


def test_a_key_that_is_misspelt_is_remarked(
    cosmic: Cosmic, inputs: list[str], folder: Path
) -> None:
    text = SYSTEM.replace("endpoint-delay", "endpoint-dealy")
    (folder / "system.json").write_text(text)

    outcome = cosmic("astra-sim", *inputs)

    assert outcome.code == 0
    assert "did you mean 'endpoint-delay'" in outcome.err


def test_a_missing_rank_is_one_line(
    cosmic: Cosmic, inputs: list[str], folder: Path
) -> None:
    (folder / "s8_pp8/w.7.et").unlink()

    outcome = cosmic("astra-sim", *inputs)

    assert outcome.code == 2
    assert "s8_pp8/w.7.et: no such file; the network has 8 ranks" in outcome.err


def test_files_of_more_ranks_than_the_network_has_are_not_looked_at(
    cosmic: Cosmic, inputs: list[str], folder: Path
) -> None:
    shutil.copy(folder / "s8_pp8/w.0.et", folder / "s8_pp8/w.8.et")

    assert LAST in cosmic("astra-sim", *inputs).out


def test_no_groups_at_all_is_called_empty(cosmic: Cosmic, inputs: list[str]) -> None:
    inputs[-1] = "--comm-group-configuration=empty"

    assert LAST in cosmic("astra-sim", *inputs).out  # its collectives are all sends
