"""Protocols of a communication library, and what they may carry."""

from dataclasses import replace

import pytest

from cosmic.collective.policy import CollectivePolicy
from cosmic.collective.protocol import Protocol, protocols_for
from cosmic.errors import SpecError

FLAGS = Protocol(
    name="LL",
    launch_delay=1e-6,
    step_delays=(1e-6, 5e-6),
    bandwidth_fractions=(0.5, 0.25),
)
SWITCH = Protocol(
    name="NVLS",
    launch_delay=25e-6,
    step_delays=(0.0, 0.0),
    bandwidth_fractions=(0.7, 0.0),
    algorithms=("nvls",),
    buffered=False,
)
BOTH = (FLAGS, SWITCH)


def names(algorithm: str, dimension: int) -> list[str]:
    return [p.name for p in protocols_for(BOTH, algorithm, dimension)]


def test_a_protocol_that_names_algorithms_has_them_to_itself() -> None:
    assert names("nvls", 0) == ["NVLS"]
    assert names("ring", 0) == ["LL"]


def test_a_protocol_without_bandwidth_does_not_exist_there() -> None:
    message = "no protocol carries algorithm 'nvls' in dimension 1; there are LL, NVLS"

    with pytest.raises(SpecError, match=message):
        names("nvls", 1)


def test_without_protocols_none_is_asked_for() -> None:
    assert protocols_for((), "nvls", 7) == ()


def test_the_innermost_dimensions_keep_their_costs() -> None:
    inner = FLAGS.innermost(1)

    assert inner.dimensions == 1
    assert inner.step_delays == (1e-6,)
    assert inner.bandwidth_fractions == (0.5,)
    assert inner.bandwidth_limits == (float("inf"),)


def test_a_limit_holds_where_links_are_faster() -> None:
    limited = replace(FLAGS, bandwidth_limits=(30e9, 30e9))

    assert limited.share(0, 50e9) == 0.5  # half of 50 GB/s is within it
    assert limited.share(0, 100e9) == 0.3  # half of 100 GB/s is not


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"launch_delay": -1.0}, "delays of protocol 'LL' must be finite and not neg"),
        ({"step_delays": (0.0, float("inf"))}, "one is inf s"),
        ({"bandwidth_fractions": (0.5, 1.5)}, "from 0 to 1, not 1.5"),
        ({"bandwidth_limits": (1e9, 0.0)}, "to more than 0, not to 0.0 B/s"),
        ({"step_delays": (0.0,)}, "for every dimension, but has 1, 2, 2"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        replace(FLAGS, **change)  # type: ignore[arg-type] # wrong on purpose


def policy(algorithm: str, *protocols: Protocol) -> CollectivePolicy:
    both = (algorithm, "ring")
    return CollectivePolicy(
        all_reduce=both,
        all_gather=both,
        reduce_scatter=both,
        all_to_all=both,
        protocols=protocols,
    )


def test_a_policy_needs_a_protocol_for_every_algorithm() -> None:
    with pytest.raises(SpecError, match="no protocol carries algorithm 'ring'"):
        policy("nvls", SWITCH)


def test_a_policy_and_its_protocols_speak_of_the_same_dimensions() -> None:
    message = "protocol 'LL' speaks of 1 dimensions, the algorithms of 2"

    with pytest.raises(SpecError, match=message):
        policy("ring", FLAGS.innermost(1))
