"""The public face: every name is there, documented, and where it says it is."""

import inspect

import pytest

import cosmic


@pytest.mark.parametrize("name", [n for n in cosmic.__all__ if n != "__version__"])
def test_every_public_name_loads_and_is_documented(name: str) -> None:
    value = getattr(cosmic, name)

    assert value.__name__ == name
    assert inspect.getdoc(value)


def test_the_face_lists_what_it_has() -> None:
    assert sorted(cosmic.__all__) == dir(cosmic)
    assert len(set(cosmic.__all__)) == len(cosmic.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = cosmic.nothing
