"""A system as ASTRA-sim's input files, and what these cannot say."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from cosmic.collective.policy import (
    CollectivePolicy,
    MultiDimensional,
    SchedulingPolicy,
)
from cosmic.compute.device import Device
from cosmic.errors import ConsistencyError
from cosmic.io.astra_differences import differences
from cosmic.io.astra_inputs import network_text, system_document, write_inputs
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.system.cluster import Cluster
from cosmic.system.device_order import Placement
from cosmic.system.system import System
from cosmic.trace.execution_graph import ExecutionGraph, Group, Stage

RING = Dimension(shape=Shape.RING, size=4, link_bandwidth=2.0**36, latency=50e-9)
SWITCH = Dimension(shape=Shape.SWITCH, size=8, link_bandwidth=2.0**35, latency=1.5e-6)


def system(*dimensions: Dimension, algorithm: str = "ring", **policy: Any) -> System:
    names = (algorithm,) * len(dimensions)
    device = Device(peak_flops=312e12, memory_bandwidth=2039e9, memory_capacity=1e12)
    given: dict[str, Any] = {
        "endpoint_delay": 10e-9,
        "scheduling": SchedulingPolicy.FIFO,
    }
    made = CollectivePolicy(
        all_reduce=names,
        all_gather=names,
        reduce_scatter=names,
        all_to_all=names,
        **(given | policy),
    )
    return System(Cluster(device, Topology(dimensions)), made)


def graph(*groups: Group, devices: int = 32) -> ExecutionGraph:
    """A graph in which nobody does anything."""
    stage = Stage(forward=(), backward=(), last_backward=(), update=())
    return ExecutionGraph(
        devices=devices,
        groups=groups,
        pipeline=Group(name="pipeline", size=1, stride=devices),
        stages=(stage,),
        micro_batches=1,
        boundary_bytes=0.0,
    )


def said(machine: System, *groups: Group) -> str:
    return " ".join(differences(graph(*groups), machine))


def test_the_network_is_one_of_links_in_binary_units() -> None:
    network = yaml.safe_load(network_text(system(RING, SWITCH)))

    assert network == {
        "topology": ["Ring", "Switch"],
        "npus_count": [4, 8],
        "bandwidth": [64.0, 32.0],  # 2**36 and 2**35 over 2**30
        "latency": [50.0, 1500.0],
    }


def test_dimensions_stand_as_device_ids_count_and_empty_ones_are_left_out() -> None:
    made = system(RING, replace(SWITCH, size=1), replace(RING, size=2))
    outward = replace(made, placement=Placement.OUTER_FIRST)

    assert yaml.safe_load(network_text(made))["npus_count"] == [4, 2]
    assert yaml.safe_load(network_text(outward))["npus_count"] == [2, 4]
    assert system_document(made)["all-reduce-implementation"] == ["ring", "ring"]


def test_the_system_file_says_what_the_system_is() -> None:
    document = system_document(system(RING, SWITCH, algorithm="direct4", chunks=16))

    assert document == {
        "scheduling-policy": "FIFO",
        "endpoint-delay": 10,
        "active-chunks-per-dimension": 1,
        "preferred-dataset-splits": 16,
        "all-reduce-implementation": ["direct4", "direct4"],
        "all-gather-implementation": ["direct4", "direct4"],
        "reduce-scatter-implementation": ["direct4", "direct4"],
        "all-to-all-implementation": ["direct4", "direct4"],
        "collective-optimization": "localBWAware",
        "local-mem-bw": 2039.0,
        "boost-mode": 0,
        "roofline-enabled": 1,
        "peak-perf": 312.0,
    }


def test_all_files_are_written(tmp_path: Path) -> None:
    write_inputs(system(RING), {"1": (0, 1), "2": (2, 3)}, tmp_path)

    groups = json.loads((tmp_path / "comm_group.json").read_text())
    memory = json.loads((tmp_path / "memory.json").read_text())
    assert groups == {"1": [0, 1], "2": [2, 3]}
    assert memory == {"memory-type": "NO_MEMORY_EXPANSION"}
    assert len(list(tmp_path.iterdir())) == 4


def test_an_algorithm_of_a_plug_in_is_refused() -> None:
    made = system(RING)
    # What a plug-in would bring, past the check that there is one.
    object.__setattr__(made.policy, "all_reduce", ("directly",))

    with pytest.raises(ConsistencyError, match=r"nothing like .* algorithm 'directly'"):
        system_document(made)


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (
            system(replace(RING, shape=Shape.MESH)),
            "Dimension 0 is a Mesh; ASTRA-sim has none, and a Ring with the same links",
        ),
        (
            system(replace(SWITCH, shape=Shape.HYPERCUBE)),
            "a FullyConnected with the same links stands for it",
        ),
        (
            system(replace(SWITCH, oversubscription=2.0)),
            "Dimension 0 is oversubscribed",
        ),
        (
            system(SWITCH, algorithm="direct"),
            "In dimension 0 direct sends several messages over a link at once",
        ),
        (system(SWITCH, algorithm="inNetwork"), "no inNetwork; direct stands for it"),
        (system(SWITCH, algorithm="halvingDoubling"), "has no all-to-all"),
        (
            system(SWITCH, algorithm="doubleBinaryTree"),
            "carries out a whole all-reduce",
        ),
        (
            system(SWITCH, multi_dimensional=MultiDimensional.THEMIS),
            "localBWAware stands for it",
        ),
        (
            system(SWITCH, scheduling=SchedulingPolicy.LIFO),
            "LIFO changes nothing there",
        ),
        (system(SWITCH, active_chunks=2), "so one at a time is written"),
        (system(SWITCH, endpoint_delay=0.0), "of 0 ns is written as 1 ns"),
        (
            replace(system(RING, SWITCH), placement=Placement.OUTER_FIRST),
            "count through the dimensions outer_first",
        ),
    ],
)
def test_what_has_no_equal_is_said(machine: System, words: str) -> None:
    assert words in said(machine)


def test_nothing_is_said_that_is_not_so() -> None:
    """What is said of every design, and no more."""
    everyone = Group(name="all", size=32, stride=1)

    assert len(differences(graph(everyone), system(RING, SWITCH))) == 3


def test_a_group_of_some_devices_is_a_ring_of_its_own_there() -> None:
    some = Group(name="tensor", size=4, stride=1)

    assert "(tensor) is one flat ring there, ring is its" in said(
        system(RING, SWITCH), some
    )
    assert "is configured. In such a group" not in said(system(SWITCH), some)
    assert "the endpoint delay is 10 ns" in said(
        system(SWITCH, endpoint_delay=20e-9), some
    )
