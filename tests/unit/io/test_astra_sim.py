"""ASTRA-sim's input files, read as it reads them, or refused in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cosmic.errors import SpecError
from cosmic.io.astra_sim import (
    groups_of,
    memory_of,
    network_of,
    read_groups,
    read_memory,
    read_network,
    read_system,
    system_of,
)
from cosmic.simulation.astra_sim.inputs import MemoryKind
from cosmic.simulation.astra_sim.network_input import Congestion, Joint
from cosmic.simulation.astra_sim.system_input import Optimization
from cosmic.trace.rank_trace import CommType

NETWORK: dict[str, Any] = {
    "topology": ["Ring", "Switch"],
    "npus_count": [4, 2],
    "bandwidth": [375.0, 100],
    "latency": [500.0, 936.25],
}


def network(**changes: Any) -> object:
    return network_of(NETWORK | changes, Congestion.UNAWARE, "net.yml")


def system(**changes: Any) -> object:
    return system_of({k.replace("_", "-"): v for k, v in changes.items()}, "sys.json")


def test_a_network_file_is_read_with_its_comments(tmp_path: Path) -> None:
    path = tmp_path / "net.yml"
    path.write_text(
        "topology: [ Ring ]\nnpus_count: [ 8 ]\n"
        "bandwidth: [ 150.0 ]  # GB/s\nlatency: [ 500 ]  # ns\n"
    )

    (dimension,) = read_network(path, Congestion.AWARE).dimensions

    assert (dimension.joint, dimension.size) == (Joint.RING, 8)
    assert (dimension.bandwidth, dimension.latency) == (150.0, 500.0)


def test_a_system_file_is_read_with_what_it_leaves_out(tmp_path: Path) -> None:
    path = tmp_path / "sys.json"
    path.write_text('{"all-reduce-implementation": ["ring"], "endpoint-dealy": 5}')

    found, remarks = read_system(path)

    assert (found.endpoint_delay, found.active_chunks, found.splits) == (10, 1, None)
    assert (found.scheduled, found.optimization, found.roofline) == (False, None, False)
    assert list(found.implementations) == [CommType.ALL_REDUCE]
    assert len(remarks) == 1
    assert "does not know 'endpoint-dealy'; did you mean 'endpoint-delay'" in remarks[0]


def test_numbers_lose_what_follows_the_point_and_false_is_on() -> None:
    """As a C int does, and as a JSON `false` is no number 0 to ASTRA-sim."""
    found = system_of(
        {
            "active-chunks-per-dimension": 2.7,
            "endpoint-delay": 10.9,
            "preferred-dataset-splits": 3,
            "collective-optimization": "localBWAware",
            "scheduling-policy": "EXPLICIT",
            "roofline-enabled": False,
            "replay-only": 0,
            "model-shared-bus": 0,
        },
        "sys.json",
    )

    assert (found.active_chunks, found.endpoint_delay, found.splits) == (2, 10, 3)
    assert found.optimization is Optimization.LOCAL_BW_AWARE
    assert (found.scheduled, found.roofline, found.replay_only) == (True, True, False)


def test_groups_and_memory_are_read(tmp_path: Path) -> None:
    (tmp_path / "groups.json").write_text('{"2": [3, 1], "1": [0]}')
    (tmp_path / "memory.json").write_text(
        '{"memory-type": "MEMORY_POOL", "remote-mem-bw": 7.9}'
    )

    assert read_groups(tmp_path / "groups.json") == {2: (3, 1), 1: (0,)}
    memory = read_memory(tmp_path / "memory.json")
    assert (memory.kind, memory.latency, memory.bandwidth) == (MemoryKind.POOL, 0, 7)


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (
            lambda: network(topology=["Mesh"]),
            r"no topology named 'Mesh'.*\$.topology\[0",
        ),
        (
            lambda: network(topology="Ring"),
            r"expected a list, got 'Ring' @ \$.topology",
        ),
        (lambda: network(latency=[1.0]), r"1 values for 2 dimensions @ \$.latency"),
        (lambda: network(npus_count=[4.0, 2]), r"expected a whole number, got 4.0"),
        (lambda: network(npus_count=[4, 1]), r"npus_count must be at least 2, not 1"),
        (
            lambda: network(bandwidth=[0, 1]),
            r"bandwidth must be positive.*dimension\[0",
        ),
        (lambda: network(latency=[True, 1]), r"expected a number, got true"),
        (
            lambda: network_of([], Congestion.AWARE, "n"),
            r"expected a mapping, got a li",
        ),
        (
            lambda: network_of(NETWORK, Congestion.AWARE, "n"),
            r"n: congestion-aware, ASTRA-sim takes networks of one dimension only",
        ),
        (lambda: system(scheduling_policy="LILO"), r"no policy named 'LILO'; did you"),
        (lambda: system(scheduling_policy=1), r"expected text, got 1"),
        (lambda: system(collective_optimization="x"), r"no collective optimization n"),
        (
            lambda: system(endpoint_delay="10"),
            r"expected a number, got '10' @ \$.endpoi",
        ),
        (lambda: system(endpoint_delay=-1), r"sys.json: endpoint-delay must be finite"),
        (lambda: system(endpoint_delay=2**40), r"expected a number, got 1099511627776"),
        (lambda: system(peak_perf=True), r"expected a number, got true"),
        (lambda: system(model_shared_bus=1), r"a shared bus is not simulated here"),
        (
            lambda: system(all_reduce_implementation_custom=["a"]),
            r"custom collectives are not simulated here",
        ),
        (
            lambda: system(all_reduce_implementation=["direct0"]),
            r"sys.json: 'direct0': a window is at least 1.*\$.all-reduce-implement",
        ),
        (lambda: groups_of({"zero": [0]}, "g"), r"a group is a number from 1 on"),
        (lambda: groups_of({"1": 0}, "g"), r"g: expected a list, got 0 @ \$\[?.?1"),
        (lambda: memory_of({}, "m"), r"memory-type is not given"),
        (lambda: memory_of({"memory-type": "X"}, "m"), r"no memory type named 'X'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    read: Callable[[], object], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        read()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ('{"peak-perf": NaN}', "NaN is no number of JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "expected a mapping"),
    ],
)
def test_a_file_that_is_no_json_is_one_line(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "sys.json"
    path.write_text(content)

    with pytest.raises(SpecError, match=message) as caught:
        read_system(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "groups.json"
    with path.open("wb") as file:
        file.truncate(100_000_001)  # of which nothing is on the disk

    with pytest.raises(SpecError, match="larger than 100 MB"):
        read_groups(path)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read: no such file"):
        read_groups(tmp_path / "none.json")
