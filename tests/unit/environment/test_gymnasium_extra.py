"""The environments without Gymnasium."""

import importlib
import sys

import pytest

from cosmic.errors import CosmicError


@pytest.mark.parametrize("name", ["design_env", "one_shot_env", "design_vector_env"])
def test_without_gymnasium_one_line_says_how_to_get_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [m for m in sys.modules if m.startswith("cosmic.environment")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "gymnasium", None)

    with pytest.raises(
        CosmicError,
        match=r"^environments need Gymnasium: pip install 'gymnasium>=1\.1'[^\n]*$",
    ):
        importlib.import_module(f"cosmic.environment.{name}")
