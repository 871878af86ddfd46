"""A communication library on links of several kinds."""

import pytest

from cosmic.collective.library import Library, LibraryProtocol, LinkCost
from cosmic.errors import SpecError, UnknownNameError
from cosmic.trace.node import CollectiveKind

LIBRARY = Library(
    name="tiny",
    protocols=(
        LibraryProtocol(
            name="fast",
            launch_delay=1e-6,
            links={"nvlink": LinkCost(2e-6, 0.8), "network": LinkCost(9e-6, 0.9)},
        ),
        LibraryProtocol(
            name="local", launch_delay=0.0, links={"nvlink": LinkCost(1e-6, 0.3)}
        ),
    ),
    algorithms={CollectiveKind.ALL_REDUCE: {"nvlink": ("ring", "nvls")}},
)


def test_a_protocol_costs_in_each_dimension_what_it_costs_on_that_link() -> None:
    fast, local = LIBRARY.protocols_on(["nvlink", "network"])

    assert fast.step_delays == (2e-6, 9e-6)
    assert fast.bandwidth_fractions == (0.8, 0.9)
    assert local.bandwidth_fractions == (0.3, 0.0)  # does not exist there


def test_a_protocol_that_exists_nowhere_is_left_out() -> None:
    assert [p.name for p in LIBRARY.protocols_on(["network"])] == ["fast"]


def test_an_unknown_kind_of_link_is_named_with_the_nearest_known_one() -> None:
    message = "no kind of link in library tiny named 'nvlnk'; did you mean 'nvlink'?"

    with pytest.raises(UnknownNameError, match=message):
        LIBRARY.protocols_on(["nvlnk"])


def test_a_library_says_among_what_it_chooses() -> None:
    assert LIBRARY.choices(CollectiveKind.ALL_REDUCE, "nvlink") == ("ring", "nvls")
    with pytest.raises(SpecError, match="tiny has no algorithm for all_to_all over nv"):
        LIBRARY.choices(CollectiveKind.ALL_TO_ALL, "nvlink")
