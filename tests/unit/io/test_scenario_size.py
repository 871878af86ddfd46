"""A scenario may take another number of devices, or of tokens, than its presets."""

from pathlib import Path

import pytest

from cosmic.errors import SpecError
from cosmic.io.specs import load_scenario
from cosmic.io.systems import load_system, resized

SCENARIO = """\
kind: scenario
model: gpt3-13b
system: dgx-a100-superpod
batch: 512
workload: {tp: 8, pp: 1, dp: DP, sp: 1}
parameter_set: launch-v1
"""


def written(folder: Path, dp: int, *lines: str) -> Path:
    """A scenario file with some more lines."""
    path = folder / "mine.yaml"
    path.write_text(SCENARIO.replace("DP", str(dp)) + "\n".join(lines) + "\n")
    return path


def test_a_scenario_takes_what_its_presets_say(tmp_path: Path) -> None:
    scenario = load_scenario(written(tmp_path, 16))

    assert scenario.settings["npus_count"] == (8, 16)
    assert scenario.model.sequence == 2048


def test_devices_change_the_outermost_dimension_alone(tmp_path: Path) -> None:
    scenario = load_scenario(written(tmp_path, 64, "devices: 512"))
    before = load_system("dgx-a100-superpod")

    assert scenario.settings["npus_count"] == (8, 64)
    assert scenario.settings["bandwidth"] == before["bandwidth"]
    assert scenario.space.parameter_set.constants["npus"] == 512
    workload = scenario.configure(scenario.baseline).workload
    assert workload.parallelism.devices == 512


def test_a_sequence_is_that_of_the_whole_scenario(tmp_path: Path) -> None:
    scenario = load_scenario(written(tmp_path, 16, "sequence: 1024"))

    assert scenario.model.sequence == 1024
    assert scenario.space.parameter_set.constants["sequence"] == 1024
    assert scenario.configure(scenario.baseline).workload.model.sequence == 1024


def test_nodes_are_filled(tmp_path: Path) -> None:
    message = (
        r"mine.yaml: the system has 8 devices inside .* 8, 16, ... devices, not 12"
    )

    with pytest.raises(SpecError, match=message):
        load_scenario(written(tmp_path, 1, "devices: 12"))


def test_as_many_devices_as_there_are_change_nothing() -> None:
    settings = load_system("gb200-nvl72")
    sizes = settings["npus_count"]
    assert isinstance(sizes, tuple)
    devices = 1
    for size in sizes:
        devices *= int(size)

    assert resized(settings, devices) == settings
