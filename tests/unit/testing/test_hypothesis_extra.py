"""The strategies without Hypothesis."""

import importlib
import sys

import pytest

from cosmic.errors import CosmicError


def test_without_hypothesis_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in [m for m in sys.modules if m.startswith("cosmic.testing")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "hypothesis", None)

    with pytest.raises(
        CosmicError,
        match=r"^cosmic.testing.strategies needs Hypothesis: pip install [^\n]*$",
    ):
        importlib.import_module("cosmic.testing.strategies")
