"""Loads of steps that fill and drain, against routing every one of them."""

import numpy as np
import pytest

from cosmic.collective.algorithm import Step, make_algorithm
from cosmic.network.routing import link_load
from cosmic.network.wiring import Shape, Wiring
from cosmic.simulation.step_loads import Row, in_every_group, step_loads
from cosmic.trace.node import CollectiveKind

RELATIVE = 1e-12  # sums of some hundred fractions, in another order


@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize("name", ["ring", "bidirectionalRing"])
@pytest.mark.parametrize("stride", [1, 4])
def test_a_pipeline_loads_links_as_if_every_step_were_routed(
    shape: Shape, name: str, stride: int
) -> None:
    row = Row(Wiring(shape, 128, asymmetry=0.5), 16, stride)
    steps = make_algorithm(name).steps(CollectiveKind.BROADCAST, 16)

    loads = step_loads(steps, row)

    for step, found in zip(steps, loads, strict=True):
        assert isinstance(step, Step)
        expected = link_load(row.wiring, *in_every_group(step, row))
        assert found.hops == expected.hops
        assert found.busiest == pytest.approx(expected.busiest, rel=RELATIVE)


def test_steps_with_other_messages_are_not_taken_for_more_of_the_same() -> None:
    row = Row(Wiring(Shape.MESH, 4), 4, 1)
    ends = [((0,), (1,)), ((0, 1), (2, 3)), ((2, 3), (1, 1)), ((2,), (3,))]
    steps = [
        Step(
            sources=np.array(sources),
            destinations=np.array(destinations),
            fractions=np.full(len(sources), 0.5),
        )
        for sources, destinations in ends
    ]

    # 0 to 2 and 1 to 3 share the middle link, 2 to 1 and 3 to 1 the one before 1
    assert [load.busiest for load in step_loads(steps, row)] == [0.5, 1.0, 1.0, 0.5]
    assert [load.hops for load in step_loads(steps, row)] == [1, 2, 2, 1]
