"""Settings to a workload and a system."""

from collections.abc import Mapping

import pytest

from cosmic.collective.policy import MultiDimensional
from cosmic.compute.cost_model import Roofline
from cosmic.design.parameter import PointValue
from cosmic.errors import ConsistencyError, SpecError
from cosmic.evaluation.configuration import (
    Configuration,
    build_system,
    build_topology,
    build_workload,
    tensor_degree,
    values_by_dimension,
)
from cosmic.evaluation.setting import DEFAULTS
from cosmic.network.wiring import Shape
from cosmic.system.device_order import Placement
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Axis

MODEL = TransformerModel(
    layers=4,
    hidden=64,
    heads=8,
    key_value_heads=8,
    head_dim=8,
    feed_forward=256,
    sequence=32,
)
ALGORITHMS = ("ring", "direct")
SETTINGS: Mapping[str, PointValue] = {
    **DEFAULTS,
    "topology": ("Ring", "FullyConnected"),
    "npus_count": (4, 8),
    "bandwidth": (100e9, 70e9),
    "latency": (1e-6, 2e-6),
    "peak_flops": 1e12,
    "memory_bandwidth": 1e12,
    "memory_capacity": 24e9,
    "all_reduce_algorithm": ALGORITHMS,
    "all_gather_algorithm": ALGORITHMS,
    "reduce_scatter_algorithm": ALGORITHMS,
    "all_to_all_algorithm": ALGORITHMS,
}


def test_bandwidth_of_a_device_is_spread_over_its_links() -> None:
    ring, full = build_topology(SETTINGS).dimensions

    assert ring.link_bandwidth == 50e9  # two links
    assert full.link_bandwidth == 10e9  # seven links


def test_tensor_takes_what_the_other_degrees_leave() -> None:
    assert tensor_degree({**SETTINGS, "dp": 4, "pp": 2, "sp": 2}) == 2


def test_degrees_must_make_up_the_devices() -> None:
    with pytest.raises(ConsistencyError, match=r"3 x 1 x 1 = 3, which does not make"):
        tensor_degree({**SETTINGS, "dp": 3})
    with pytest.raises(ConsistencyError, match=r"x tp = 4, which does not make"):
        tensor_degree({**SETTINGS, "dp": 2, "tp": 4})


@pytest.mark.parametrize(("switch", "level"), [(0, 0), (1, 3)])
def test_the_papers_switch_is_sharding_zero_or_three(switch: int, level: int) -> None:
    settings = {**SETTINGS, "dp": 8, "sp": 2, "weight_sharded": switch}
    workload = build_workload(MODEL, 32, settings)

    assert workload.parallelism.weight_sharding == level
    assert workload.parallelism.tensor == 2


def test_vectors_must_be_of_one_length() -> None:
    with pytest.raises(ConsistencyError, match="topology 2, npus_count 2, bandwidth 1"):
        build_topology({**SETTINGS, "bandwidth": (1e9,)})


def test_algorithms_must_be_as_many_as_dimensions() -> None:
    settings = {**SETTINGS}
    for kind in ("all_reduce", "all_gather", "reduce_scatter", "all_to_all"):
        settings[f"{kind}_algorithm"] = ("ring",)

    with pytest.raises(ConsistencyError, match="given for 1 dimensions"):
        build_system(settings, Roofline())


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("topology", ("Rign", "Ring"), "no topology named 'Rign'; did you mean 'Ring'"),
        (
            "placement",
            "inner",
            "no placement named 'inner'; did you mean 'inner_first'",
        ),
        ("multi_dim_optimization", "Themis", "did you mean 'themis'"),
        ("axis_order", "data", "no order of axes named 'data'"),
    ],
)
def test_an_unknown_word_is_told(name: str, value: PointValue, message: str) -> None:
    settings = {**SETTINGS, "dp": 8, name: value}

    with pytest.raises(SpecError, match=message):
        Configuration(
            build_workload(MODEL, 32, settings), build_system(settings, Roofline())
        )


def test_what_nobody_says_is_the_default_in_every_dimension() -> None:
    said = {name: value for name, value in SETTINGS.items() if name not in DEFAULTS}
    system = build_system(said, Roofline())

    assert system == build_system(SETTINGS, Roofline())
    assert values_by_dimension(said, "asymmetry") == (1.0, 1.0)
    assert values_by_dimension({**said, "dimensions": 1}, "asymmetry") == (1.0,)


def test_an_order_of_axes_is_read_innermost_first() -> None:
    order = "data-tensor-pipeline-sequence"
    workload = build_workload(MODEL, 32, {**SETTINGS, "dp": 8, "axis_order": order})

    assert workload.parallelism.axis_order == (
        Axis.DATA,
        Axis.TENSOR,
        Axis.PIPELINE,
        Axis.SEQUENCE,
    )


def test_what_is_said_of_the_system_reaches_it() -> None:
    settings = {
        **SETTINGS,
        "topology": ("Mesh", "Switch"),
        "placement": "outer_first",
        "flat_rings": True,
        "active_chunks": 3,
        "multi_dim_optimization": "themis",
        "oversubscription": (1.0, 2.0),
        "asymmetry": (0.5, 1.0),
    }
    system = build_system(settings, Roofline())
    mesh, switch = system.cluster.topology.dimensions

    assert (system.placement, system.flat_rings) == (Placement.OUTER_FIRST, True)
    assert system.policy.active_chunks == 3
    assert system.policy.multi_dimensional is MultiDimensional.THEMIS
    assert (mesh.shape, mesh.asymmetry) == (Shape.MESH, 0.5)
    assert (switch.shape, switch.oversubscription) == (Shape.SWITCH, 2.0)
