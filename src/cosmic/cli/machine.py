"""What a system's name or file and some changes on the command line denote."""

from collections.abc import Sequence

from cosmic.cli.changes import with_changes
from cosmic.compute.cost_model import Roofline
from cosmic.design.parameter import PointValue
from cosmic.evaluation.configuration import build_system, values_by_dimension
from cosmic.evaluation.setting import DEFAULTS, SETTINGS
from cosmic.io.systems import load_system, load_system_library
from cosmic.system.system import System


def machine_of(reference: str, changes: Sequence[str]) -> System:
    """The system of a preset or a file, after some changes.

    Args:
        reference: A preset's name or a file.
        changes: What differs, as `name=value`.

    Raises:
        SpecError: There is none, or it says what cannot be right.
    """
    settings: dict[str, PointValue] = {**DEFAULTS, **load_system(reference)}
    settings["dimensions"] = len(values_by_dimension(settings, "npus_count"))
    for name, value in settings.items():
        if SETTINGS[name].per_dimension and value is not None:
            settings[name] = values_by_dimension(settings, name)
    library = load_system_library(reference)
    protocols = library.protocols if library is not None else ()
    changed = with_changes(settings, changes)
    return build_system(changed, Roofline(), protocols)
