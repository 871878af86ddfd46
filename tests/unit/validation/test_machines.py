"""From the hardware that a source names to a system of ours."""

import pytest

from cosmic.validation.machines import NotEvaluatedError, machine_of
from cosmic.validation.measurement import Hardware, Operation, Setup


def setup(
    gpu: str, ranks: int | None = 8, nodes: int | None = 1, **hardware: str
) -> Setup:
    return Setup(
        operation=Operation.ALL_REDUCE,
        size=1024.0,
        ranks=ranks,
        nodes=nodes,
        hardware=Hardware(gpu=gpu, **hardware),
    )


@pytest.mark.parametrize(
    ("gpu", "case", "preset"),
    [
        ("A100-SXM4-80GB", "", "dgx-a100-superpod"),
        ("A100-SXM4-80GB", "aws-p4de-2n", "aws-p4de"),
        ("A100 pairwise NVLink (4-GPU VM)", "", "azure-nc-a100-v4"),
        ("H100-SXM5-80GB", "", "dgx-h100-superpod"),
        ("H100-SXM5-80GB", "aws-p5-1n", "aws-p5"),
        ("NVIDIA H200", "", "dgx-h200-superpod"),
        ("H200-SXM", "p5en, EFA", "aws-p5en"),
        ("GB200", "", "gb200-nvl72"),
        ("NVIDIA B200", "", "dgx-b200-superpod"),
        ("V100", "NVLink2 (V100)", "dgx-1-v100"),
        ("V100", "DGX-2", "dgx-2"),
        ("L40S", "", "l40s-nodes"),
        ("MI300X", "", "mi300x-nodes"),
        ("GH200 96GB (4 per node)", "", "alps-gh200"),
        ("GB300", "", "gb300-nvl72"),
        ("B300-SXM", "", "dgx-b300-superpod"),
        ("A100-SXM4-80GB", "Jean Zay, 48 nodes", "jean-zay-a100"),
    ],
)
def test_hardware_is_told_by_name(gpu: str, case: str, preset: str) -> None:
    assert machine_of(setup(gpu, ranks=2, case=case)).preset == preset


def test_a_system_that_a_row_names_needs_no_telling() -> None:
    assert machine_of(setup("unheard of", system="mi300x-nodes")).ranks == 8


@pytest.mark.parametrize("gpu", ["H100 PCIe", "MI50", "TPU v4", "A100-PCIE-40GB"])
def test_what_no_preset_describes_is_said(gpu: str) -> None:
    with pytest.raises(NotEvaluatedError, match=f"no preset describes .* '{gpu}'"):
        machine_of(setup(gpu))


def test_a_row_must_say_on_what_device() -> None:
    with pytest.raises(NotEvaluatedError, match="does not say on what device"):
        machine_of(setup(""))


@pytest.mark.parametrize(
    ("ranks", "nodes", "extents"),
    [
        (3, 1, (3, 1)),
        (16, 2, (8, 2)),
        (4, 4, (1, 4)),
        (16, None, (8, 2)),
        (None, 1, (8, 1)),
        (None, None, (8, 16)),  # the whole preset
    ],
)
def test_a_group_fills_its_nodes(
    ranks: int | None, nodes: int | None, extents: tuple[int, ...]
) -> None:
    machine = machine_of(setup("A100", ranks, nodes))

    assert machine.extents == extents
    assert machine.sizes == extents


def test_trays_of_a_rack_share_its_nvlink() -> None:
    assert machine_of(setup("GB200", 16, 4)).extents == (16, 1)
    assert machine_of(setup("GB200", 144, 36)).extents == (72, 2)


def test_pairs_are_filled_before_the_links_between_them() -> None:
    assert machine_of(setup("A100 pairwise", 2)).extents == (2, 1)
    assert machine_of(setup("A100 pairwise", 4)).extents == (2, 2)


def test_part_of_a_ring_leaves_the_others_on_the_way() -> None:
    machine = machine_of(setup("V100", 4))

    assert machine.extents == (4, 1)
    assert machine.sizes == (8, 1)


def test_direct_links_to_those_that_take_no_part_carry_nothing() -> None:
    machine = machine_of(setup("MI300X", 4))

    assert machine.settings["bandwidth"] == (3 * 64e9, 50e9)


@pytest.mark.parametrize(
    ("nic", "bandwidth"),
    [
        ("EFA 4x100 Gb/s per node", 4 * 100e9 / 8 / 8),
        ("CX7 400 Gb/s per GPU", 400e9 / 8),
        ("something", 25e9),  # what the preset says
    ],
)
def test_network_cards_are_as_fast_as_the_row_says(nic: str, bandwidth: float) -> None:
    machine = machine_of(setup("A800 A100", 16, 2, nic=nic, system="dgx-a100-superpod"))

    assert machine.settings["bandwidth"] == (300e9, bandwidth)


@pytest.mark.parametrize(
    ("ranks", "nodes", "message"),
    [
        (16, 1, "16 devices do not fit a node of 8 in system dgx-a100-superpod"),
        (9, 2, "cannot spread 9 devices over 2 nodes"),
    ],
)
def test_groups_that_do_not_fit_are_refused(
    ranks: int, nodes: int, message: str
) -> None:
    with pytest.raises(NotEvaluatedError, match=message):
        machine_of(setup("A100", ranks, nodes))


def test_a_machine_of_one_node_has_no_network() -> None:
    with pytest.raises(NotEvaluatedError, match="cannot spread 2 devices over 2 nodes"):
        machine_of(setup("A100 pairwise", 2, 2))
