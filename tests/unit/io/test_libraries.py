"""Library files, and systems that name one."""

from pathlib import Path

import pytest

from cosmic.collective.library import LinkCost
from cosmic.errors import SpecError
from cosmic.io.libraries import load_library
from cosmic.io.specs import check_spec, load_scenario
from cosmic.io.systems import load_system_library
from cosmic.trace.node import CollectiveKind

LIBRARY = """
kind: library
protocols:
  - name: LL
    launch_delay: 6 us
    links:
      nvlink: {step_delay: 1 us, bandwidth_fraction: 0.5}
      network: {step_delay: 5 us, bandwidth_fraction: 0.25, bandwidth_limit: 2 GB/s}
algorithms:
  all_reduce: {nvlink: [ring, nvls]}
"""
SYSTEM = """
kind: system
device: {peak_flops: 1 TFLOP/s, memory_bandwidth: 1 TB/s, memory_capacity: 1 GB}
dimensions:
  - {topology: Switch, npus_count: 8, bandwidth: 100 GB/s, latency: 0 ns, link: nvlink}
  - {topology: Torus, npus_count: [2, 4], bandwidth: 9 GB/s, latency: 0 ns, link: LINK}
collective:
  algorithms: [ring, ring]
  library: library.yaml
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "library.yaml").write_text(LIBRARY)
    (tmp_path / "system.yaml").write_text(SYSTEM.replace("LINK", "network"))
    return tmp_path


def test_a_library_says_what_its_file_says(folder: Path) -> None:
    library = load_library("library.yaml", folder)

    (flags,) = library.protocols
    assert library.name == "library"
    assert flags.launch_delay == pytest.approx(6e-6)
    assert flags.links["network"] == LinkCost(5e-6, 0.25, 2e9)
    assert flags.links["nvlink"].bandwidth_limit == float("inf")
    assert library.choices(CollectiveKind.ALL_REDUCE, "nvlink") == ("ring", "nvls")


def test_a_system_has_its_library_on_its_links(folder: Path) -> None:
    linked = load_system_library("system.yaml", folder)

    assert linked is not None
    assert linked.links == ("nvlink", "network", "network")  # a torus has two rings
    (flags,) = linked.protocols
    assert flags.bandwidth_fractions == (0.5, 0.25, 0.25)


def test_a_system_without_a_library_has_no_protocols() -> None:
    assert load_system_library("cosmic-512") is None


def test_a_scenario_sends_over_its_system_s_library(folder: Path) -> None:
    (folder / "scenario.yaml").write_text(
        "{kind: scenario, model: vit-base, system: system.yaml, batch: 64, "
        "workload: {dp: 64}, parameter_set: set.yaml}"
    )
    (folder / "set.yaml").write_text(
        "{kind: parameter_set, parameters: {dp: {stack: workload, values: [8, 64]}}}"
    )

    scenario = load_scenario("scenario.yaml", folder)
    policy = scenario.configure(scenario.baseline).system.policy

    assert [protocol.name for protocol in policy.protocols] == ["LL"]
    assert policy.protocols[0].dimensions == 3


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "LINK",
            r"no kind of link in library library named 'LINK'; known: network, nv",
        ),
        ("netwrk", r"did you mean 'network'\? @ \$\.dimensions\[1\]"),
    ],
)
def test_an_unknown_link_is_refused_with_its_place(
    folder: Path, said: str, message: str
) -> None:
    (folder / "system.yaml").write_text(SYSTEM.replace("LINK", said))

    with pytest.raises(SpecError, match=message):
        check_spec("system.yaml", folder)


def test_a_dimension_of_a_system_with_a_library_says_its_link(folder: Path) -> None:
    (folder / "system.yaml").write_text(SYSTEM.replace(", link: LINK", ""))
    message = r"say what kind of link it is, for library library: network, nvlink @ \$"

    with pytest.raises(SpecError, match=message):
        check_spec("system.yaml", folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.25", "1.25", "must be at most 1.0, but is 1.25 @"),
        ("0.25", "0", "must be more than 0.0, but is 0 @"),
        ("6 us", "6", "expected|write a quantity"),
        ("all_reduce:", "allreduce:", "did you mean 'all_reduce'"),
    ],
)
def test_what_a_library_cannot_be_is_one_line(
    folder: Path, old: str, new: str, message: str
) -> None:
    (folder / "library.yaml").write_text(LIBRARY.replace(old, new))

    with pytest.raises(SpecError, match=message) as caught:
        check_spec("library.yaml", folder)

    assert "\n" not in str(caught.value)
