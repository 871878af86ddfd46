"""Settings of the network beyond its links, as commands take and show them."""

from collections.abc import Callable
from typing import Any

Cosmic = Callable[..., Any]  # the fixture that calls the command line


def test_what_differs_from_equal_links_is_shown(cosmic: Cosmic) -> None:
    changes = ("--set", "oversubscription[1]=2.5", "--set", "asymmetry[1]=0.5")
    outcome = cosmic("simulate", "tiny.yaml", *changes)
    document = cosmic("simulate", "tiny.yaml", *changes, "--json").document

    assert "oversubscription [1, 1] -> [1, 2.5]" in outcome.out
    assert "Switch, 2.5:1, x 0.5 downward" in outcome.out
    assert [d["oversubscription"] for d in document["network"]] == [1.0, 2.5]
    assert [d["asymmetry"] for d in document["network"]] == [1.0, 0.5]


def test_an_unusual_order_of_devices_is_shown(cosmic: Cosmic) -> None:
    order = "data-sequence-tensor-pipeline"
    changes = ("--set", f"axis_order={order}", "--set", "placement=outer_first")
    usual = cosmic("simulate", "tiny.yaml")
    changed = cosmic("simulate", "tiny.yaml", *changes)

    assert "device ids count" not in usual.out
    assert f"device ids count {order}, through dimensions outer_first" in changed.out


def test_a_line_takes_longer_than_a_ring(cosmic: Cosmic) -> None:
    """A device of a line has its whole bandwidth on two links, as one of a ring."""
    ring, line = (
        cosmic("simulate", "tiny.yaml", "--set", f"topology[0]={shape}", "--json")
        for shape in ("Ring", "Mesh")
    )

    found = line.document["metrics"]["runtime"]
    assert found > ring.document["metrics"]["runtime"]
    assert line.document["network"][0]["topology"] == "Mesh"


def test_a_count_in_millions_is_written_so(cosmic: Cosmic) -> None:
    out = cosmic("simulate", "vit-base-512-devices-v1").out

    assert "85.06 million weights" in out
