"""A mistake is one line: file, message, place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.errors import SpecError, UnknownNameError
from cosmic.io.spec_error import located, show_place, show_value, spec_error


@given(message=st.text(), place=st.lists(st.text() | st.integers(0, 9), max_size=5))
def test_it_is_always_one_line(message: str, place: list[str | int]) -> None:
    line = str(spec_error("f.yaml", message, place))

    assert len(line.splitlines()) == 1


@given(value=st.text() | st.integers() | st.lists(st.integers()) | st.binary())
def test_a_repeated_value_is_short(value: object) -> None:
    assert len(show_value(value)) <= 63


def test_a_key_that_is_no_word_stands_in_brackets() -> None:
    assert show_place(("a b", 0, "c-d")) == "$['a b'][0].c-d"


def test_what_an_object_refuses_gets_its_file_and_place() -> None:
    message = "cluster.yaml: no agent named 'x'; known: genetic @ \\$.agent"

    with (
        pytest.raises(SpecError, match=message),
        located("cluster.yaml", ("agent",)),
    ):
        raise UnknownNameError("agent", "x", ["genetic"])


def test_what_is_no_mistake_of_the_user_passes() -> None:
    with pytest.raises(KeyError), located("cluster.yaml"):
        raise KeyError("bug")
