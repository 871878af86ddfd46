"""Presets by name: the YAML files that come with the package, and with plug-ins.

A preset is `presets/<folder of its kind>/<name>.yaml`. A plug-in has such folders in a
package of its own, and names that package in the entry-point group `cosmic.presets`.
"""

from enum import Enum
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from cosmic.errors import ConsistencyError, UnknownNameError

_BUILTIN = Path(__file__).parents[1] / "presets"
_GROUP = "cosmic.presets"
_FILE_ENDINGS = (".yaml", ".yml", ".json")


class PresetKind(Enum):
    """What a preset describes, with the folder that holds those of its kind."""

    MODEL = "models"
    DEVICE = "devices"
    SYSTEM = "systems"
    LIBRARY = "libraries"
    CALIBRATION = "calibrations"
    PARAMETER_SET = "parameter_sets"
    SCENARIO = "scenarios"
    SHARED_SCENARIO = "shared_scenarios"
    STUDY = "studies"
    COMPARISON = "comparisons"

    @property
    def noun(self) -> str:
        """What error messages call it, such as "parameter set"."""
        return self.name.lower().replace("_", " ")


def preset_names(kind: PresetKind) -> tuple[str, ...]:
    """Every preset of a kind, sorted."""
    return tuple(sorted({file.stem for file in _files(kind)}))


def preset_path(kind: PresetKind, name: str) -> Path:
    """Give the file of a preset.

    Raises:
        UnknownNameError: If there is none of that name.
        ConsistencyError: If two packages bring one of that name.
    """
    found = [file for file in _files(kind) if file.stem == name]
    if not found:
        raise UnknownNameError(kind.noun, name, preset_names(kind))
    if len(found) > 1:
        raise ConsistencyError(
            f"{kind.noun} {name!r} comes with more than one package: "
            f"{', '.join(str(file.parent) for file in found)}"
        )
    return found[0]


def find_spec_file(kind: PresetKind, reference: str, folder: Path) -> Path:
    """Give the file that a reference means: a file of the user, or a preset.

    What ends in .yaml, .yml or .json is a file, and need not exist; anything else is
    the name of a preset, or failing that a file which does exist.

    Args:
        kind: What the file should describe.
        reference: What the user wrote.
        folder: Where relative paths begin: that of the file with the reference in it.

    Raises:
        UnknownNameError: If it is neither.
        ConsistencyError: If two packages bring a preset of that name.
    """
    path = folder / reference
    if reference.endswith(_FILE_ENDINGS):
        return path
    if reference not in preset_names(kind) and is_file(path):
        return path
    return preset_path(kind, reference)


def is_file(path: Path) -> bool:
    """Whether there is such a file; a path that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long a name, or one with a zero byte
        return False


def _files(kind: PresetKind) -> list[Path]:
    folders = (_BUILTIN, *_plug_in_folders())
    return [file for top in folders for file in (top / kind.value).glob("*.yaml")]


@cache
def _plug_in_folders() -> tuple[Path, ...]:
    places = {point.value for point in entry_points(group=_GROUP)}
    specs = [find_spec(place) for place in sorted(places)]
    found = [spec.submodule_search_locations for spec in specs if spec is not None]
    return tuple(Path(folder) for folders in found for folder in folders or ())
