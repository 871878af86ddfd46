"""Writes docs/reference/settings.md from the tables in the code; a test compares."""

from pathlib import Path

from cosmic.collective.algorithm import ALGORITHMS
from cosmic.evaluation.metrics import METRICS
from cosmic.evaluation.objective import OBJECTIVES
from cosmic.evaluation.setting import SETTINGS
from cosmic.evaluation.setting_kind import Setting
from cosmic.units import format_quantity

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "settings.md"
_MOST_VALUES = 8  # that are listed one by one


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
        texts = [f"`{value}`" for value in setting.allowed]
        if len(texts) > _MOST_VALUES:
            texts = [*texts[:2], f"... ({len(texts)} values)"]
        values = ", ".join(texts)
    elif setting.unit:
        values = f"a quantity in {setting.unit}"
    elif setting.name.endswith("_algorithm"):
        names = ", ".join(f"`{name}`" for name in ALGORITHMS.names())
        values = f"{names}, `direct<W>`"
    elif setting.real:
        values = f"a number from {setting.at_least:g} to {setting.at_most:g}"
    else:
        bound = f" from 1 to {setting.at_most:g}" if setting.at_most < 2**40 else ""
        values = f"a whole number{bound}"
    return f"{values}, for each dimension" if setting.per_dimension else values


def _default(setting: Setting) -> str:
    if setting.default is None:
        return ""
    if setting.unit:
        return format_quantity(float(str(setting.default)), setting.unit)
    return f"`{setting.default}`"


if __name__ == "__main__":
    PAGE.write_text(reference_page())
