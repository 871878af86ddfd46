"""What goes on behind the work of a layer: keys in a ring, tokens of tensor devices.

Four devices lie on two Switches of two, so that a ring through all of them crosses both
at every step: one hop takes N / INNER + N / OUTER for N bytes.
"""

from typing import Any

import pytest

from cosmic.collective.policy import CollectivePolicy
from cosmic.compute.device import Device
from cosmic.errors import ConsistencyError
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape
from cosmic.simulation.result import SimulationResult
from cosmic.simulation.symmetric import SymmetricSimulator
from cosmic.system.cluster import Cluster
from cosmic.system.placement import Span, spans
from cosmic.system.system import System
from cosmic.trace.node import (
    Attention,
    CollectiveKind,
    ComputeNode,
    Instruction,
    OperatorKind,
    Start,
    Wait,
)
from cosmic.trace.precision import Precision
from cosmic.workload.layers import layer_unit
from cosmic.workload.lowering import groups, lower
from cosmic.workload.memory import memory_footprint
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism, Recompute, SequenceMethod
from cosmic.workload.workload import Workload

RING = SequenceMethod.RING
INNER, OUTER = 8e9, 2e9  # bytes a second
AT_ONCE, SLOW = 1e30, 1e6  # FLOP/s


def workload(split: dict[str, Any], **changes: Any) -> Workload:
    model = TransformerModel(
        layers=1,
        hidden=64,
        heads=4,
        key_value_heads=4,
        head_dim=16,
        feed_forward=256,
        sequence=32,
    )
    given: dict[str, Any] = {"model": model, "batch": 1} | changes
    return Workload(parallelism=Parallelism(**split), **given)


def system(peak_flops: float) -> System:
    switches = (
        Dimension(shape=Shape.SWITCH, size=2, link_bandwidth=INNER, latency=0.0),
        Dimension(shape=Shape.SWITCH, size=2, link_bandwidth=OUTER, latency=0.0),
    )
    fast = ("direct", "direct")
    policy = CollectivePolicy(
        all_reduce=fast, all_gather=fast, reduce_scatter=fast, all_to_all=fast
    )
    device = Device(
        peak_flops=peak_flops,
        memory_bandwidth=1e30,
        memory_capacity=1e12,
        peak_fp8=peak_flops,
    )
    return System(Cluster(device, Topology(switches)), policy)


def step(given: Workload, peak_flops: float) -> SimulationResult:
    return SymmetricSimulator().run(lower(given), system(peak_flops))


def words(instructions: tuple[Instruction, ...], whole: float) -> list[object]:
    """Products as shares of a whole one, collectives as their kinds and `wait`."""
    told: list[object] = []
    for instruction in instructions:
        match instruction:
            case ComputeNode(kind=OperatorKind.MATRIX | OperatorKind.ATTENTION):
                told.append(instruction.flops / whole)
            case ComputeNode():
                told.append(instruction.kind)
            case Start(node, _):
                told.append(node.kind)
            case Wait():
                told.append("wait")
    return told


def test_keys_and_values_go_round_the_ring_of_all_devices() -> None:
    given = workload({"sequence": 4, "sequence_method": RING})
    keys = 2 * 2 * 8 * 64  # keys and values of 8 tokens, 2 B

    waited = step(given, AT_ONCE).breakdown.exposed["sequence"]

    # 3 steps forward; backward 3 more, and 4 that bring the gradients home
    hops = (3 + 3 + 4) * keys * (1 / INNER + 1 / OUTER)
    assert waited == pytest.approx(hops, rel=1e-9)


def test_whatever_the_algorithms_are_a_ring_is_one_flat_ring() -> None:
    given = workload({"sequence": 4, "sequence_method": RING})
    (group,) = (g for g in groups(given) if g.name == "sequence")

    assert spans(group, system(1.0)) == (Span(1, 4, 1, flat=True),)


@pytest.mark.parametrize("fused", [True, False])
def test_a_ring_hides_behind_attention(fused: bool) -> None:
    ring, gathered = (
        step(
            workload({"sequence": 4, "sequence_method": method}, fused_attention=fused),
            SLOW,
        )
        for method in (RING, SequenceMethod.ALL_GATHER)
    )

    assert ring.breakdown.exposed["sequence"] == pytest.approx(0, abs=1e-9)
    assert gathered.breakdown.exposed["sequence"] > 0
    assert ring.breakdown.compute == pytest.approx(gathered.breakdown.compute)


def test_attention_in_a_ring_is_a_kernel_for_each_devices_keys() -> None:
    unit = layer_unit(workload({"sequence": 4, "sequence_method": RING}))
    for program in (unit.forward, unit.backward):
        cores = [n for n in program if isinstance(n, ComputeNode) and n.work]
        shapes = [w for n in cores for w in n.work if isinstance(w, Attention)]
        assert [(shape.queries, shape.keys) for shape in shapes] == [(8, 8)] * 4


def test_two_blocks_of_others_keys_are_here_at_most() -> None:
    """A block has the keys and values of 8 tokens, 64 wide, of 2 B."""
    held = [
        memory_footprint(workload({"sequence": n, "sequence_method": RING})).buffers
        for n in (1, 2, 4)
    ]

    assert held == [0, 2 * 2 * 16 * 64, 2 * 2 * 2 * 8 * 64]


def overlapped(**changes: Any) -> Workload:
    split = {"tensor": 4, "tensor_sequence": True, "tensor_overlap": True}
    return workload(split, **changes)


def test_pieces_of_products_run_beside_collectives_of_tokens() -> None:
    """The feed-forward part: its two products are of the same size."""
    gather, scatter = CollectiveKind.ALL_GATHER, CollectiveKind.REDUCE_SCATTER
    pointwise, norm = OperatorKind.ELEMENTWISE, OperatorKind.NORMALIZATION
    unit = layer_unit(overlapped())
    one = 2.0 * 32 * 64 * 64  # FLOPs of a product on this device

    forward = words(unit.forward[-11:], one)
    backward = words(unit.backward[:12], one)

    assert forward == [
        *(norm, gather, 0.75, "wait", 0.25),
        *(pointwise, 0.25, scatter, 0.75, "wait", pointwise),
    ]
    # for the input's gradient in pieces, for the weights' at once; then the other way
    assert backward == [
        *(pointwise, gather, 0.75, "wait", 0.25, 1.0),
        *(pointwise, 1.0, scatter, 1.0, "wait", norm),
    ]


@pytest.mark.parametrize("recompute", Recompute)
@pytest.mark.parametrize("precision", [Precision.BF16, Precision.FP8])
def test_tensor_collectives_hide_behind_products(
    recompute: Recompute, precision: Precision
) -> None:
    changes = {"recompute": recompute, "precision": precision}
    split = {"tensor": 4, "tensor_sequence": True}
    late = step(workload(split, **changes), SLOW)
    early = step(overlapped(**changes), SLOW)

    assert late.breakdown.exposed["tensor"] > 0
    assert early.breakdown.exposed["tensor"] == pytest.approx(0, abs=1e-9)
    assert early.breakdown.compute == pytest.approx(late.breakdown.compute, rel=1e-12)
    assert early.sent == late.sent


def test_what_nothing_can_hide_behind_is_waited_for() -> None:
    split = {"tensor": 4, "tensor_sequence": True}
    late, early = step(workload(split), AT_ONCE), step(overlapped(), AT_ONCE)

    assert early.makespan == pytest.approx(late.makespan, rel=1e-12)


def test_overlap_without_tokens_that_travel_is_refused() -> None:
    with pytest.raises(ConsistencyError, match="with tensor_sequence only"):
        Parallelism(tensor=4, tensor_overlap=True)
