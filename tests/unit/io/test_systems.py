"""System files: the settings of a machine, a torus being several rings."""

from pathlib import Path

import pytest

from cosmic.collective.policy import MultiDimensional
from cosmic.compute.cost_model import Roofline
from cosmic.errors import SpecError
from cosmic.evaluation.configuration import build_system, build_topology
from cosmic.io.systems import load_system, load_system_library

SYSTEM = """
kind: system
device: a100-sxm-80gb
dimensions:
  - {DIMENSION, latency: 1 us, link: nvlink}
  - {topology: Switch, npus_count: 2, bandwidth: 25 GB/s, latency: 5 us, link: network}
collective:
  library: nccl-ampere
  algorithms: [ring, direct]
"""


def system(folder: Path, dimension: str, old: str = "", new: str = "") -> Path:
    """A system file with a dimension, and perhaps another change."""
    path = folder / "system.yaml"
    text = SYSTEM.replace("DIMENSION", dimension)
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_a_torus_is_as_many_rings_as_it_has_sizes(tmp_path: Path) -> None:
    torus = "topology: Torus, npus_count: [4, 2, 8], link_bandwidth: 50 GB/s"
    path = system(tmp_path, torus)
    settings, library = load_system(path), load_system_library(path)

    assert settings["topology"] == ("Ring", "Ring", "Ring", "Switch")
    assert settings["npus_count"] == (4, 2, 8, 2)
    assert settings["latency"] == (1e-6, 1e-6, 1e-6, 5e-6)
    assert settings["bandwidth"] == (100e9, 100e9, 100e9, 25e9)  # two links each
    for kind in ("all_reduce", "all_gather", "reduce_scatter", "all_to_all"):
        assert settings[f"{kind}_algorithm"] == ("ring", "ring", "ring", "direct")
    assert library is not None
    assert library.links == ("nvlink", "nvlink", "nvlink", "network")


def test_the_bandwidth_of_a_torus_is_that_of_all_its_links(tmp_path: Path) -> None:
    # 300 GB/s over six links, two on each ring
    torus = "topology: Torus, npus_count: [4, 2, 8], bandwidth: 300 GB/s"

    assert load_system(system(tmp_path, torus))["bandwidth"] == (
        *[100e9] * 3,
        25e9,
    )


def test_a_ring_of_one_device_takes_no_bandwidth_from_a_torus(tmp_path: Path) -> None:
    # 200 GB/s over four links; a link of the ring that is not there would be alike
    torus = "topology: Torus, npus_count: [4, 1, 8], bandwidth: 200 GB/s"
    settings = load_system(system(tmp_path, torus))

    assert settings["bandwidth"] == (100e9, 50e9, 100e9, 25e9)


@pytest.mark.parametrize(
    ("dimension", "line"),
    [
        (
            "topology: Torus, npus_count: 4, bandwidth: 1 GB/s",
            "a Torus has a list of sizes: npus_count: [4, 4, 4] @ $.dimensions[0]",
        ),
        (
            "topology: Switch, npus_count: [4, 4], bandwidth: 1 GB/s",
            "a Switch has one size: npus_count: 4; a list is for a Torus "
            "@ $.dimensions[0]",
        ),
        (
            "topology: Torus, npus_count: [4, four], bandwidth: 1 GB/s",
            "expected int, got 'four' @ $.dimensions[0].npus_count[1]",
        ),
        (
            "topology: Torus, npus_count: [], bandwidth: 1 GB/s",
            "must hold at least 1, but holds 0 @ $.dimensions[0].npus_count",
        ),
        (
            f"topology: Torus, npus_count: [{', '.join(['2'] * 16)}], "
            f"bandwidth: 1 GB/s",
            "a network has at most 16 dimensions, not 17; each size of a torus is one "
            "@ $.dimensions",
        ),
        (
            "topology: Torus, npus_count: [2, 2]",
            "give bandwidth (of a device's links together) or link_bandwidth, one of "
            "the two @ $.dimensions[0]",
        ),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, dimension: str, line: str) -> None:
    with pytest.raises(SpecError) as error:
        load_system(system(tmp_path, dimension))

    assert str(error.value) == f"system.yaml: {line}"


def test_a_torus_has_one_algorithm_for_all_its_rings(tmp_path: Path) -> None:
    torus = "topology: Torus, npus_count: [2, 2], bandwidth: 1 GB/s"
    path = system(tmp_path, torus, "[ring, direct]", "[ring, ring, direct]")

    with pytest.raises(
        SpecError, match="3 algorithms for 2 dimensions; a torus counts as one"
    ):
        load_system(path)


def test_what_a_dimension_does_not_say_is_as_usual(tmp_path: Path) -> None:
    torus = "topology: Torus, npus_count: [2, 2], bandwidth: 1 GB/s, asymmetry: 0.5"
    core = ("bandwidth: 25 GB/s", "bandwidth: 25 GB/s, oversubscription: 4")
    settings = load_system(system(tmp_path, torus, *core))
    plain = load_system("cosmic-512")

    assert settings["asymmetry"] == (0.5, 0.5, 1.0)
    assert settings["oversubscription"] == (1.0, 1.0, 4.0)
    assert {"asymmetry", "oversubscription"}.isdisjoint(plain)
    last = build_topology(settings).dimensions[-1]
    assert (last.oversubscription, last.asymmetry) == (4.0, 1.0)


def test_how_collectives_are_carried_out_is_told(tmp_path: Path) -> None:
    ring = "topology: Ring, npus_count: 4, bandwidth: 1 GB/s"
    path = system(
        tmp_path,
        ring,
        "[ring, direct]",
        "[direct2, nvls]\n  active_chunks: 4\n  flat_rings: true\n"
        "  multi_dim_optimization: themis",
    )
    settings = load_system(path)
    built = build_system(settings, Roofline())

    assert settings["all_reduce_algorithm"] == ("direct2", "nvls")
    assert built.policy.active_chunks == 4
    assert built.policy.multi_dimensional is MultiDimensional.THEMIS
    assert built.flat_rings


@pytest.mark.parametrize(
    ("dimension", "old", "new", "line"),
    [
        (
            "topology: Mesh, npus_count: 4, bandwidth: 1 GB/s, oversubscription: 2",
            "",
            "",
            "dimension 0: only a Switch can be oversubscribed",
        ),
        (
            "topology: Hypercube, npus_count: 6, bandwidth: 1 GB/s",
            "",
            "",
            "dimension 0: ",
        ),
        (
            "topology: Ring, npus_count: 4, bandwidth: 1 GB/s, asymmetry: 0",
            "",
            "",
            "must be at least 0.001, but is 0 @ $.dimensions[0].asymmetry",
        ),
        (
            "topology: Ring, npus_count: 4, bandwidth: 1 GB/s",
            "[ring, direct]",
            "[ring, direct0]",
            "the window of direct<W> is a whole number from 1",
        ),
        (
            "topology: Ring, npus_count: 4, bandwidth: 1 GB/s",
            "[ring, direct]",
            "[ring, inNetwrk]",
            "no collective algorithm named 'inNetwrk'; did you mean 'inNetwork'?",
        ),
        (
            "topology: Ring, npus_count: 4, bandwidth: 1 GB/s",
            "library:",
            "flat_rings: yes\n  library:",
            "expected true or false, got 'yes' @ $.collective.flat_rings",
        ),
    ],
)
def test_a_machine_that_cannot_be_is_one_line(
    tmp_path: Path, dimension: str, old: str, new: str, line: str
) -> None:
    with pytest.raises(SpecError) as error:
        load_system(system(tmp_path, dimension, old, new))

    assert line in str(error.value)
    assert "\n" not in str(error.value)
