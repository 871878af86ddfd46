"""The sizes of the paper's spaces, exactly."""

import pytest

from cosmic.io.specs import load_scenario


def test_the_paper_counts_7_69e13_points_for_1024_devices() -> None:
    # 286 ordered factorizations of 1024 into four powers of two x 2 scheduling
    # policies x 4^4 algorithms x 4 chunk counts x 2 schemes x 3^4 topologies x 3^4
    # sizes x 10^4 bandwidths; the paper prints about 7.69e13.
    space = load_scenario("paper-count-1024-devices-v1").space

    assert space.count == 286 * 2 * 4**4 * 4 * 2 * 3**4 * 3**4 * 10**4
    assert space.count == 76_859_228_160_000


@pytest.mark.parametrize(
    ("name", "sizes", "degrees"),
    [
        # degrees: (dp, sp, pp) with tp | 96 counted by hand-written loops below
        ("gpt3-175b-512-devices-v1", 4, 117),
        ("gpt3-175b-1024-devices-v1", 10, 133),
        ("gpt3-175b-2048-devices-v1", 16, 145),
    ],
)
def test_the_feasible_points_of_each_scope_multiply(
    name: str, sizes: int, degrees: int
) -> None:
    scenario = load_scenario(name)
    counts = {scope: scenario.scope(scope).space.count for scope in scenario.scopes}

    assert degrees == _degrees(int(name.split("-")[2]))
    assert counts == {
        "workload_only": 2 * degrees,
        "collective_only": 2 * 4 * 4**16 * 2,
        "network_only": sizes * 3**4 * 10**4,
        "full_stack": 2 * degrees * 2 * 4 * 4**16 * 2 * sizes * 3**4 * 10**4,
    }


def _degrees(devices: int) -> int:
    """Feasible (dp, sp, pp) for GPT-3 175B, in plain loops."""
    powers = [2**k for k in range(10)]
    found = 0
    for dp in powers:
        for sp in powers:
            for pp in (1, 2, 4):
                tp, rest = divmod(devices, dp * sp * pp)
                fits = rest == 0 and tp >= 1 and 96 % tp == 0 and 49152 % tp == 0
                found += fits and 2048 % sp == 0 and 2048 % dp == 0
    return found
