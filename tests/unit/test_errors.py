"""What goes wrong is told in one line that helps."""

import pickle

import pytest

from cosmic.errors import (
    BackendError,
    ConsistencyError,
    CosmicError,
    SpecError,
    StudyError,
    TraceError,
    UnitError,
    UnknownNameError,
    suggest,
)


@pytest.mark.parametrize(
    "error", [SpecError, TraceError, StudyError, BackendError, UnitError]
)
def test_every_error_is_caught_as_one_of_ours(error: type[Exception]) -> None:
    assert issubclass(error, CosmicError)


@pytest.mark.parametrize("error", [UnitError, UnknownNameError, ConsistencyError])
def test_what_the_user_wrote_wrong_is_a_value_error(error: type[Exception]) -> None:
    assert issubclass(error, SpecError)
    assert issubclass(error, ValueError)


def test_a_near_miss_gets_the_right_name() -> None:
    error = UnknownNameError("algorithm", "rign", ["ring", "direct"])

    assert str(error) == "no algorithm named 'rign'; did you mean 'ring'?"


def test_a_far_miss_gets_all_names_in_order() -> None:
    error = UnknownNameError("algorithm", "x", ["ring", "direct"])

    assert str(error) == "no algorithm named 'x'; known: direct, ring"
    assert error.known == ("direct", "ring")


def test_an_unknown_name_travels_between_processes() -> None:
    error = UnknownNameError("agent", "genetc", ["genetic"])

    copy = pickle.loads(pickle.dumps(error))

    assert str(copy) == str(error)
    assert (copy.kind, copy.name, copy.known) == ("agent", "genetc", ("genetic",))


def test_a_long_list_of_names_is_cut() -> None:
    names = [f"n{i:02}" for i in range(20)]

    assert suggest("zzz", names).endswith("n10, n11 and 8 more")


def test_no_names_at_all_is_said_so() -> None:
    assert suggest("zzz", []) == "none is known"
