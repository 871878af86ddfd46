from hypothesis import given
from hypothesis import strategies as st

from cosmic.design.design_point import DesignPoint
from cosmic.workers.shares import shares


@given(points=st.integers(0, 40), workers=st.integers(1, 9))
def test_every_point_is_dealt_out_once_and_in_order(points: int, workers: int) -> None:
    batch = [DesignPoint({"dp": number}) for number in range(points)]

    dealt = shares(batch, workers)

    assert [point for share in dealt for point in share] == batch
    sizes = [len(share) for share in dealt]
    assert len(sizes) == min(points, workers)
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
    assert 0 not in sizes
