"""Our times of collectives beside those of ASTRA-sim: equal where the physics is.

The table holds single collectives measured with ASTRA-sim 518bd51, analytical back end,
congestion-unaware and congestion-aware. Its model and ours are the same for rings on
Rings, FullyConnected and (unaware) Switch dimensions, for halving-doubling among direct
neighbors, and for direct exchanges over links of their own, one chunk at a time.
Elsewhere they differ, for reasons that are told row by row; a row has the first that
holds of it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from statistics import median
from typing import Any

from cosmic.collective.policy import (
    CollectivePolicy,
    MultiDimensional,
    SchedulingPolicy,
)
from cosmic.compute.device import Device
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.single_collective import time_collective
from cosmic.system.cluster import Cluster
from cosmic.system.system import System
from cosmic.trace.node import CollectiveKind
from cosmic.units import GB, GiB, Seconds

TABLE = Path(__file__).parent / "tables" / "astra_sim_collectives.jsonl"
"""Single collectives, measured with ASTRA-sim."""

SAME = "the same physics"

_NS = 1e-9
_SUMS = ("all-reduce", "reduce-scatter")
_KINDS = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all")


@dataclass(frozen=True, slots=True)
class Row:
    """One run of ASTRA-sim.

    Attributes:
        id: As the table has it.
        given: The record: inputs in ASTRA-sim's own words and units.
        measured: When its last device was done.
    """

    id: str
    given: Mapping[str, Any]
    measured: Seconds

    @property
    def aware(self) -> bool:
        """Whether its network knew congestion."""
        return bool(self.given["backend"] == "congestion_aware")

    @property
    def kind(self) -> str:
        """The collective."""
        return str(self.given["collective"])

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Of the dimensions, for this collective."""
        return tuple(self.given["system"][f"{self.kind}-implementation"])

    @property
    def shapes(self) -> tuple[str, ...]:
        """Of the dimensions."""
        return tuple(self.given["topology"])

    @property
    def sizes(self) -> tuple[int, ...]:
        """Of the dimensions."""
        return tuple(self.given["npus_count"])

    @property
    def chunks(self) -> int:
        """Into which the collective is split."""
        return int(self.given["system"].get("preferred-dataset-splits", 0))

    @property
    def at_once(self) -> int:
        """Chunks that are under way in one dimension."""
        most = self.given["system"]["active-chunks-per-dimension"]
        return min(int(most), self.chunks)


@dataclass(frozen=True, slots=True)
class Difference:
    """Why the two models differ on some rows.

    Attributes:
        name: In a few words.
        holds: Whether it is so for a row.
        comparable: Whether our model can be asked for such a row.
    """

    name: str
    holds: Callable[[Row], bool]
    comparable: bool = True


def _far_pairs(row: Row) -> bool:
    """Whether halving-doubling has to pass other devices on the way."""
    return any(
        name == "halvingDoubling" and shape == "Ring" and size > 2
        for name, shape, size in zip(
            row.algorithms, row.shapes, row.sizes, strict=False
        )
    )


def _shared_direct(row: Row) -> bool:
    return any(
        name.startswith("direct") and shape != "FullyConnected" and size > 2
        for name, shape, size in zip(
            row.algorithms, row.shapes, row.sizes, strict=False
        )
    )


def _rounded(row: Row) -> bool:
    """Whether it cuts off part of a chunk, and so sends one chunk more."""
    size, chunks = int(row.given["size_bytes"]), row.chunks
    return size % chunks != 0 or size // chunks % prod(row.sizes) != 0


def _uses(name: str) -> Callable[[Row], bool]:
    return lambda row: any(n.startswith(name) for n in row.algorithms)


def _sums(row: Row) -> bool:
    return row.kind in _SUMS


DIFFERENCES: Sequence[Difference] = (
    Difference(
        "a group, some dimensions or one logical ring: it flattens these",
        lambda r: (
            bool({"comm_groups", "involved_dim"} & r.given.keys())
            or any(name.startswith("one") for name in r.algorithms)
            or len(r.algorithms) != len(r.sizes)
        ),
        comparable=False,
    ),
    Difference(
        "more than one collective, or computation beside it",
        lambda r: bool({"comp", "second"} & r.given.keys()),
        comparable=False,
    ),
    Difference(
        "no chunks or no memory bandwidth are given: undefined there",
        lambda r: r.chunks == 0 or not r.given["system"].get("local-mem-bw"),
        comparable=False,
    ),
    Difference(
        "several queues: half of its chunks go the other way round",
        lambda r: r.given["num_queues_per_dim"] > 1,
    ),
    Difference(
        "double binary tree: the whole buffer goes over one tree there",
        _uses("doubleBinaryTree"),
    ),
    Difference(
        "all-to-all by a ring: slice by slice there, all that is left here",
        lambda r: r.kind == "all-to-all" and "ring" in r.algorithms,
    ),
    Difference(
        "several chunks at once, unaware: each has all bandwidth there",
        lambda r: r.at_once > 1 and not r.aware,
    ),
    Difference(
        "several chunks at once, aware: messages of chunks take turns there",
        lambda r: r.at_once > 1,
    ),
    Difference(
        "sizes that do not divide: one more chunk, and rounded slices there",
        _rounded,
    ),
    Difference(
        "a switch, aware: it stores messages whole before it forwards them",
        lambda r: r.aware and "Switch" in r.shapes,
    ),
    Difference(
        "direct over shared links, unaware: each message has its own there",
        lambda r: _shared_direct(r) and not r.aware,
    ),
    Difference(
        "direct over shared links, aware: whole messages in turn there",
        _shared_direct,
    ),
    Difference(
        "direct with sums: these are side by side there, one by one here",
        lambda r: _uses("direct")(r) and _sums(r),
    ),
    Difference(
        "windows: each slides there, and waits for its slowest message here",
        lambda r: any(n.startswith("direct") and n != "direct" for n in r.algorithms),
    ),
    Difference(
        "halving-doubling round a Ring, unaware: pairs share no links there",
        lambda r: _far_pairs(r) and not r.aware,
    ),
    Difference(
        "halving-doubling round a Ring, aware: stored and forwarded there",
        _far_pairs,
    ),
    Difference(
        "a Ring of 2: its second link is idle there, and used here",
        lambda r: ("Ring", 2) in zip(r.shapes, r.sizes, strict=False),
    ),
    Difference(
        "halving-doubling with sums: the last one is free there",
        lambda r: _uses("halvingDoubling")(r) and _sums(r),
    ),
    Difference(
        "several dimensions: first come first there, lowest phase here",
        lambda r: len(r.sizes) > 1 and r.chunks > 1,
    ),
)


@dataclass(frozen=True, slots=True)
class Class:
    """Rows with one reason to differ.

    Attributes:
        name: The reason, or `SAME`.
        members: The rows.
        deviations: Ours over theirs, less one; none where we cannot be asked.
        worst: Id of the row with the largest.
    """

    name: str
    members: tuple[Row, ...]
    deviations: tuple[float, ...]
    worst: str

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.members)

    @property
    def median(self) -> float:
        """The deviation in the middle."""
        return median(self.deviations)

    @property
    def largest(self) -> float:
        """The largest deviation, with its sign."""
        return max(self.deviations, key=abs)


def read_rows(path: Path = TABLE) -> tuple[Row, ...]:
    """The rows of a table."""
    records = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return tuple(Row(r["id"], r, r["cycles_max"] * _NS) for r in records)


def difference(row: Row) -> Difference:
    """The first reason for which the two models differ on a row."""
    for reason in DIFFERENCES:
        if reason.holds(row):
            return reason
    return Difference(SAME, lambda _: True)


def predicted(row: Row) -> Seconds:
    """What our model says."""
    given = row.given
    kind = CollectiveKind(row.kind.replace("-", "_"))
    shards = prod(row.sizes) if kind is CollectiveKind.ALL_GATHER else 1
    return time_collective(kind, shards * given["size_bytes"], _system(row)).seconds


def classes(rows: Sequence[Row]) -> tuple[Class, ...]:
    """The rows by reason: those of the same physics first, then in order."""
    found: dict[str, list[Row]] = {SAME: []}
    for reason in DIFFERENCES:
        found[reason.name] = []
    comparable = {reason.name: reason.comparable for reason in DIFFERENCES}
    for row in rows:
        found[difference(row).name].append(row)
    return tuple(
        _class(name, members, comparable.get(name, True))
        for name, members in found.items()
        if members
    )


def _class(name: str, members: Sequence[Row], comparable: bool) -> Class:
    if not comparable:
        return Class(name, tuple(members), (), "")
    deviations = tuple(predicted(row) / row.measured - 1 for row in members)
    worst = max(range(len(members)), key=lambda k: abs(deviations[k]))
    return Class(name, tuple(members), deviations, members[worst].id)


def _system(row: Row) -> System:
    given, settings = row.given, row.given["system"]
    columns = (row.shapes, row.sizes, given["bandwidth"], given["latency"])
    topology = Topology(
        tuple(
            Dimension(
                shape=Shape(shape),
                size=size,
                link_bandwidth=bandwidth * GiB,
                latency=latency * _NS,
            )
            for shape, size, bandwidth, latency in zip(*columns, strict=True)
        )
    )
    device = Device(
        peak_flops=1e12,
        memory_bandwidth=settings["local-mem-bw"] * GB,
        memory_capacity=1e12,
    )
    names = {kind: tuple(settings[f"{kind}-implementation"]) for kind in _KINDS}
    policy = CollectivePolicy(
        all_reduce=names["all-reduce"],
        all_gather=names["all-gather"],
        reduce_scatter=names["reduce-scatter"],
        all_to_all=names["all-to-all"],
        chunks=row.chunks,
        active_chunks=row.at_once,
        scheduling=SchedulingPolicy.FIFO,
        multi_dimensional=MultiDimensional(settings["collective-optimization"]),
        endpoint_delay=settings["endpoint-delay"] * _NS,
    )
    return System(Cluster(device, topology), policy)
