"""A reference is the name of a preset or the file of a user."""

from pathlib import Path

import pytest

from cosmic.errors import ConsistencyError, UnknownNameError
from cosmic.io import presets
from cosmic.io.presets import PresetKind, find_spec_file, preset_names, preset_path


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of presets that stands in for the package's own."""
    shelf = tmp_path / "presets"
    (shelf / "models").mkdir(parents=True)
    for name in ("gpt3-175b", "vit-large"):
        (shelf / "models" / f"{name}.yaml").write_text("layers: 96\n")
    monkeypatch.setattr(presets, "_BUILTIN", shelf)
    return shelf


def test_presets_are_named_by_their_files(shelf: Path) -> None:
    assert preset_names(PresetKind.MODEL) == ("gpt3-175b", "vit-large")
    assert preset_names(PresetKind.STUDY) == ()


def test_a_preset_has_a_file(shelf: Path) -> None:
    path = preset_path(PresetKind.MODEL, "gpt3-175b")

    assert path == shelf / "models" / "gpt3-175b.yaml"


def test_a_near_miss_gets_the_right_name(shelf: Path) -> None:
    message = "no model named 'gpt3-175'; did you mean 'gpt3-175b'"

    with pytest.raises(UnknownNameError, match=message):
        preset_path(PresetKind.MODEL, "gpt3-175")


def test_a_kind_of_two_words_is_said_as_such(shelf: Path) -> None:
    with pytest.raises(UnknownNameError, match="no parameter set named 'x'; none is"):
        preset_path(PresetKind.PARAMETER_SET, "x")


@pytest.mark.parametrize("name", ["../models/gpt3-175b", "/etc/passwd", "a\0b", ""])
def test_a_path_is_no_name(shelf: Path, name: str) -> None:
    with pytest.raises(UnknownNameError):
        preset_path(PresetKind.MODEL, name)


@pytest.mark.parametrize("name", ["mine.yaml", "mine.yml", "sub/mine.json"])
def test_a_file_ending_means_a_file_beside_the_one_that_refers(
    shelf: Path, tmp_path: Path, name: str
) -> None:
    assert find_spec_file(PresetKind.MODEL, name, tmp_path) == tmp_path / name


def test_an_absolute_path_stays_as_it_is(shelf: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"

    assert find_spec_file(PresetKind.MODEL, str(path), Path("elsewhere")) == path


def test_a_file_without_ending_is_found_if_no_preset_has_its_name(
    shelf: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("layers: 1\n")
    (tmp_path / "vit-large").write_text("layers: 1\n")

    assert find_spec_file(PresetKind.MODEL, "mine", tmp_path) == tmp_path / "mine"
    assert find_spec_file(PresetKind.MODEL, "vit-large", tmp_path).parents[1] == shelf


@pytest.mark.parametrize("name", ["nothing", "a\0b", "n" * 5000])
def test_what_is_neither_is_an_unknown_name(
    shelf: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(UnknownNameError):
        find_spec_file(PresetKind.MODEL, name, tmp_path)


def test_two_packages_with_one_name_are_told_apart(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    (other / "models").mkdir(parents=True)
    (other / "models" / "gpt3-175b.yaml").write_text("layers: 1\n")
    (other / "models" / "new.yaml").write_text("layers: 1\n")
    monkeypatch.setattr(presets, "_plug_in_folders", lambda: (other,))

    assert preset_names(PresetKind.MODEL) == ("gpt3-175b", "new", "vit-large")
    with pytest.raises(ConsistencyError, match="comes with more than one package"):
        preset_path(PresetKind.MODEL, "gpt3-175b")


def test_a_plug_in_names_the_package_that_holds_its_presets(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    (site / "cosmic_test_shelf" / "models").mkdir(parents=True)
    (site / "cosmic_test_shelf" / "__init__.py").write_text("")
    (site / "cosmic_test_shelf" / "models" / "plugged.yaml").write_text("layers: 1\n")
    info = site / "cosmic_test_shelf-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: cosmic-test-shelf\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[cosmic.presets]\nx = cosmic_test_shelf\n")
    monkeypatch.syspath_prepend(site)
    presets._plug_in_folders.cache_clear()

    assert "plugged" in preset_names(PresetKind.MODEL)

    presets._plug_in_folders.cache_clear()
