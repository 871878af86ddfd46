"""Predictions: hand calculations on real machines, and laws for all sizes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosmic.validation.machines import NotEvaluatedError
from cosmic.validation.measurement import Hardware, Operation, Setup
from cosmic.validation.prediction import predict

US, GB = 1e-6, 1e9
A100, H100 = Hardware(gpu="A100"), Hardware(gpu="H100")


def setup(
    hardware: Hardware = A100,
    size: float | None = 1e9,
    ranks: int = 8,
    nodes: int = 1,
    operation: Operation = Operation.ALL_REDUCE,
) -> Setup:
    return Setup(
        operation=operation, size=size, ranks=ranks, nodes=nodes, hardware=hardware
    )


def test_a_large_all_reduce_is_what_nccl_s_constants_say() -> None:
    found = predict(setup())

    # Simple: launch 8.4 us, 14 steps of 3.4 us; 1.75 GB at 0.8 x 300 GB/s; a last slice
    # of 1/8 GB read and written at 2,039 GB/s
    time = (8.4 + 14 * 3.4) * US + 1.75 / 240 + 2 / 8 / 2039
    assert found.time == pytest.approx(time, rel=1e-6)
    assert found.bandwidth == pytest.approx(1.75e9 / time, rel=1e-6)
    assert (found.algorithms, found.protocols) == (("ring", "ring"), ("Simple",))


def test_a_small_one_takes_launch_and_steps() -> None:
    found = predict(setup(size=8.0))

    assert found.protocols == ("LL",)
    assert found.time == pytest.approx((6.6 + 14 * 0.6) * US, rel=1e-4)


def test_the_bound_is_the_data_sheet_s_bandwidth() -> None:
    assert predict(setup()).bound == pytest.approx(300 * GB)


def test_switches_that_add_up_beat_the_ring_where_there_are_some() -> None:
    found = predict(setup(H100, size=1e10))

    # NVLS: 25 us, 9/8 of the buffer at 0.7004 x 450 GB/s
    time = 25 * US + 9 / 8 * 10 / (0.7004 * 450)
    assert found.algorithms[0] == "nvls"
    assert found.time == pytest.approx(time, rel=1e-6)


def test_a_named_algorithm_is_the_one_that_is_predicted() -> None:
    named = replace(setup(H100, size=1e10), algorithm="Ring")

    assert predict(named).algorithms[0] == "ring"


def test_nodes_are_crossed_at_the_network_s_bandwidth() -> None:
    found = predict(setup(size=None, ranks=128, nodes=16))

    # 24 of 25 GB/s a device; 2 x 15/16 of an eighth of the buffer; 2 x 127/128 counts
    assert found.bandwidth == pytest.approx(
        8 * 24 * GB * (127 / 128) / (15 / 16), rel=0.02
    )  # chunks fill and empty two dimensions
    assert found.chunks > 1


def test_the_bandwidth_of_a_bottleneck_is_that_of_its_links() -> None:
    hardware = Hardware(gpu="H800")
    dispatch = setup(hardware, None, 64, 8, Operation.DISPATCH)

    found = predict(replace(dispatch, bottleneck="RDMA"))

    assert found.bandwidth == pytest.approx(48 * GB, rel=0.03)  # 0.96 x 400 Gb/s
    assert found.bound == pytest.approx(50 * GB)


def test_a_transfer_is_a_message() -> None:
    found = predict(setup(size=240e6, ranks=2, operation=Operation.SEND_RECV))

    assert found.time == pytest.approx((8.4 + 3.4 + 1000) * US)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ranks": 1}, "one device alone sends nothing"),
        ({"bottleneck": "PCIe"}, "has no link 'PCIe'"),
    ],
)
def test_what_cannot_be_predicted_says_why(
    changed: dict[str, object], message: str
) -> None:
    with pytest.raises(NotEvaluatedError, match=message):
        predict(replace(setup(), **changed))  # type: ignore[arg-type] # any field


MACHINES = [
    A100,
    H100,
    Hardware(gpu="B200"),
    Hardware(gpu="V100"),
    Hardware(gpu="L40S"),
]
collectives = st.sampled_from(
    [
        Operation.ALL_REDUCE,
        Operation.ALL_GATHER,
        Operation.REDUCE_SCATTER,
        Operation.ALL_TO_ALL,
    ]
)


@settings(max_examples=40)
@given(
    hardware=st.sampled_from(MACHINES),
    operation=collectives,
    size=st.floats(1, 1e10),
    ranks=st.sampled_from([2, 4, 8]),
)
def test_no_prediction_beats_the_data_sheet(
    hardware: Hardware, operation: Operation, size: float, ranks: int
) -> None:
    found = predict(setup(hardware, size, ranks, operation=operation))

    if "nvls" in found.algorithms:  # the bus bandwidth counts what a ring would send
        most = 2 * (ranks - 1) / (ranks + 1)
        assert found.bandwidth <= found.bound * most
    else:
        assert found.bandwidth <= found.bound


@settings(max_examples=40)
@given(
    hardware=st.sampled_from(MACHINES),
    operation=collectives,
    size=st.floats(1, 1e9),
    growth=st.floats(1, 10),
)
def test_more_bytes_never_take_less_time(
    hardware: Hardware, operation: Operation, size: float, growth: float
) -> None:
    small = predict(setup(hardware, size, operation=operation))
    large = predict(setup(hardware, size * growth, operation=operation))

    assert large.time >= small.time
