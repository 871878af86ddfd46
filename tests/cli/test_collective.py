"""`cosmic collective`: a table of times by size, its bound and its best choice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cosmic = Callable[..., Any]  # the fixture that calls the command line
SIZES = ("--from", "1 MB", "--to", "4 MB", "--factor", "2", "--json")


def test_a_ring_takes_what_is_computed_by_hand(cosmic: Cosmic) -> None:
    """2 x 3 steps of 1/4 MB at 50 GB/s and 100 ns, and 3 x 3/4 MB through memory."""
    answer = cosmic(
        "collective", "all_reduce", "system.yaml", "--group", "4", *SIZES,
        "--set", "chunks=1",
    )  # fmt: skip
    first = answer.document["sizes"][0]
    by_hand = 6 * (0.25e6 / 50e9 + 100e-9) + 3 * 0.75e6 / 500e9
    assert first["seconds"] == pytest.approx(by_hand, rel=1e-12)
    assert first["algorithm_bandwidth"] == pytest.approx(1e6 / by_hand, rel=1e-12)
    assert first["bus_bandwidth"] == pytest.approx(1.5e6 / by_hand, rel=1e-12)
    assert first["bound"]["by"] == "bandwidth"
    assert first["bound"]["seconds"] == pytest.approx(1.5e6 / 100e9, rel=1e-12)


def test_the_fastest_choice_is_no_slower_than_the_system_as_it_is(
    cosmic: Cosmic,
) -> None:
    answer = cosmic("collective", "all_reduce", "system.yaml", *SIZES).document
    assert [size["bytes"] for size in answer["sizes"]] == [1e6, 2e6, 4e6]
    for size in answer["sizes"]:
        assert size["bound"]["seconds"] <= size["fastest"]["seconds"] <= size["seconds"]


def test_the_fastest_choice_can_be_set_and_is_as_fast_then(cosmic: Cosmic) -> None:
    only = ("--from", "2 MB", "--to", "2 MB", "--json")
    answer = cosmic("collective", "all_gather", "system.yaml", *only).document
    best = answer["sizes"][0]["fastest"]
    names = ",".join(best["algorithms"])
    again = cosmic(
        "collective", "all_gather", "system.yaml", *only,
        "--set", f"all_gather_algorithm=[{names}]", "--set", f"chunks={best['chunks']}",
    )  # fmt: skip
    assert again.document["sizes"][0]["seconds"] == best["seconds"]


def test_a_transfer_has_one_bandwidth(cosmic: Cosmic) -> None:
    answer = cosmic("collective", "send_recv", "system.yaml", *SIZES).document
    assert answer["sizes"][0]["seconds"] == pytest.approx(1e6 / 50e9 + 100e-9)
    table = cosmic("collective", "send_recv", "system.yaml")
    assert "at best" not in table.out


def test_explicit_links_say_the_same_of_a_ring(cosmic: Cosmic) -> None:
    answer = cosmic(
        "collective", "all_reduce", "system.yaml", "--group", "4", *SIZES,
        "--fidelity", "link",
    )  # fmt: skip
    for size in answer.document["sizes"]:
        assert size["seconds_by_links"] == pytest.approx(size["seconds"], rel=1e-9)
    table = cosmic("collective", "send_recv", "system.yaml", "--fidelity", "link")
    assert "by links" in table.out


def test_the_table_names_what_bounds_it(cosmic: Cosmic) -> None:
    out = cosmic("collective", "all_reduce", "system.yaml").out
    assert "all_reduce of 8 devices of system.yaml (Ring 4 x Switch 2)" in out
    assert "latency" in out
    assert "bandwidth" in out


def test_a_picture_is_the_same_file_every_time(cosmic: Cosmic, folder: Path) -> None:
    pytest.importorskip("matplotlib")
    pictures = []
    for name in ("a.svg", "b.svg"):
        assert cosmic("collective", "all_reduce", "system.yaml", "--plot", name).out
        pictures.append((folder / name).read_bytes())
    assert b"bus bandwidth" in pictures[0]
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["all_redce"], "did you mean 'all_reduce'?"),
        (["all_reduce", "sistem.yaml"], "did you mean 'system.yaml'?"),
        (["all_reduce", "system.yaml", "--group", "3"], "do not fill 8"),
        (["all_reduce", "system.yaml", "--group", "axb"], "SIZE or SIZExSTRIDE"),
        (["all_reduce", "system.yaml", "--group", "0"], "must be at least 1"),
        (["all_reduce", "system.yaml", "--from", "2 GiB"], "more than --to"),
        (["all_reduce", "system.yaml", "--from", "nan B"], "--from nan B: "),
        (["send_recv", "system.yaml", "--group", "1"], "sends to nobody"),
        (["all_reduce", "cosmic-1024", "--fidelity", "link"], "at most"),
        (["all_reduce", "system.yaml", "--factor", "1"], "more than 1"),
        (["all_reduce", "system.yaml", "--factor", "nan"], "more than 1"),
        (["all_reduce", "system.yaml", "--factor", "1.01"], "more than 200 sizes"),
        (["all_reduce", "system.yaml", "--algorithms", "rng"], "did you mean 'ring'?"),
        (["all_reduce", "system.yaml", "--set", "chunks=0"], "chunk"),
        (["all_reduce", "system.yaml", "--plot", "a.gif"], ".svg, .png, .pdf"),
    ],
)
def test_a_mistake_is_one_line(
    cosmic: Cosmic, arguments: list[str], words: str
) -> None:
    outcome = cosmic("collective", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    [line] = outcome.err.splitlines()
    assert words in line
