"""Chakra's messages, and what is said where Protocol Buffers are missing."""

import importlib
import sys

import pytest

from cosmic.errors import CosmicError


@pytest.mark.parametrize("name", ["chakra", "chakra_writer", "chakra_schema"])
def test_without_protocol_buffers_one_line_says_how_to_get_them(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [m for m in sys.modules if m.startswith("cosmic.io.chakra")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "google.protobuf", None)

    with pytest.raises(
        CosmicError,
        match=r"^Chakra traces need Protocol Buffers: pip install 'protobuf>=5'[^\n]*$",
    ):
        importlib.import_module(f"cosmic.io.{name}")
