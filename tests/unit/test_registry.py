"""A name finds its object, on first use and not before."""

import sys
from collections import Counter, OrderedDict
from pathlib import Path

import pytest

from cosmic.errors import ConsistencyError, UnknownNameError
from cosmic.registry import Registry

BUILTIN = {"ordered": "collections:OrderedDict", "lost": "collections:NoSuchThing"}


def plug_in(folder: Path, group: str, *lines: str) -> None:
    """Install a package of nothing but entry points into `folder`."""
    info = folder / f"{group.replace('.', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {group}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]))


def test_a_built_in_name_finds_its_object() -> None:
    table: Registry[type] = Registry("mapping", BUILTIN, "cosmic_test.none")

    assert table.get("ordered") is OrderedDict
    assert table.names() == ("lost", "ordered")


def test_a_module_is_imported_on_first_use_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cosmic_test_lazy.py").write_text("answer = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    table: Registry[int] = Registry(
        "number", {"answer": "cosmic_test_lazy:answer"}, "cosmic_test.none"
    )

    assert "cosmic_test_lazy" not in sys.modules
    assert table.get("answer") == 42


def test_an_unknown_name_gets_a_near_one() -> None:
    table: Registry[type] = Registry("mapping", BUILTIN, "cosmic_test.none")

    with pytest.raises(UnknownNameError, match="no mapping named 'orderd'; did you"):
        table.get("orderd")


def test_a_plug_in_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(tmp_path, "cosmic_test.plug", "counter = collections:Counter")
    monkeypatch.syspath_prepend(tmp_path)
    table: Registry[type] = Registry("mapping", BUILTIN, "cosmic_test.plug")

    assert table.get("counter") is Counter
    assert table.names() == ("counter", "lost", "ordered")


def test_a_plug_in_cannot_take_the_name_of_a_built_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(tmp_path, "cosmic_test.twice", "ordered = collections:Counter")
    monkeypatch.syspath_prepend(tmp_path)
    table: Registry[type] = Registry("mapping", BUILTIN, "cosmic_test.twice")

    with pytest.raises(ConsistencyError, match="'ordered' is declared more than once"):
        table.get("ordered")


def test_an_object_that_is_not_there_is_named() -> None:
    table: Registry[type] = Registry("mapping", BUILTIN, "cosmic_test.none")

    with pytest.raises(ConsistencyError, match="'lost' stands at collections:NoSuch"):
        table.get("lost")
