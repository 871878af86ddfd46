"""Writes docs/reference/settings.md from the tables in the code; a test compares."""

from pathlib import Path

from cosmic.evaluation.metrics import METRICS
from cosmic.evaluation.objective import OBJECTIVES
from cosmic.evaluation.setting import SETTINGS, Setting
from cosmic.units import format_quantity

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "settings.md"


def reference_page() -> str:
    """The whole page."""
    settings = [
        f"| `{s.name}` | {s.stack.value} | {_values(s)} | {_default(s)} | {s.about} |"
        for s in SETTINGS.values()
    ]
    metrics = [
        f"| `{m.name}` | {m.unit or '-'} | {m.about} |" for m in METRICS.values()
    ]
    objectives = [
        f"| `{o.name}` | {' and '.join(f'`{name}`' for name in o.metrics)} | "
        f"{o.direction.value} | {o.about} |"
        for o in OBJECTIVES.values()
    ]
    return "\n".join(
        [
            "# Settings, metrics and objectives",
            "",
            "Written by `tools/write_reference.py` from the code.",
            "",
            "## Settings",
            "",
            "What a parameter set may choose, and `cosmic simulate --set` may change.",
            "",
            "| name | stack | values | default | meaning |",
            "|---|---|---|---|---|",
            *settings,
            "",
            "## Metrics",
            "",
            "| name | unit | meaning |",
            "|---|---|---|",
            *metrics,
            "",
            "## Objectives",
            "",
            "| name | reads | better | meaning |",
            "|---|---|---|---|",
            *objectives,
            "",
        ]
    )


def _values(setting: Setting) -> str:
    if setting.allowed:
        values = ", ".join(f"`{value}`" for value in setting.allowed)
    elif setting.unit:
        values = f"a quantity in {setting.unit}"
    elif setting.name.endswith("_algorithm"):
        values = "a collective algorithm"
    else:
        values = "a whole number"
    return f"{values}, for each dimension" if setting.per_dimension else values


def _default(setting: Setting) -> str:
    if setting.default is None:
        return ""
    if setting.unit:
        return format_quantity(float(str(setting.default)), setting.unit)
    return f"`{setting.default}`"


if __name__ == "__main__":
    PAGE.write_text(reference_page())
