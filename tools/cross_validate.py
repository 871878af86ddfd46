"""How the factor `sustained` of calibrations was found, and what it is worth.

Run as `cosmic validate training --json | python tools/cross_validate.py`. For each
family of devices: the median over sources of the median of published over predicted
step time, where the prediction has no factor; and the mean error of each source before
and after a factor that was found from all the others.
"""

import json
import re
import sys
from collections import defaultdict
from statistics import mean, median

FAMILIES = {
    " a100": "A100",
    " (h100|h200|gh200)": "Hopper",
    " (b200|gb200|b300|gb300)": "Blackwell",
}
Ratios = dict[str, list[float]]


def main() -> None:
    """Print what the rows of standard input say."""
    found: dict[str, Ratios] = defaultdict(lambda: defaultdict(list))
    for row in json.load(sys.stdin)["rows"]:
        ratio = row["published"] / row["kernels"]
        found[family(row["cost_model"])][row["source"]].append(ratio)
    for name, sources in sorted(found.items()):
        print(f"{name}: {len(sources)} sources, factor {factor(sources):.3f}")
        if len(sources) > 1:
            held_out(sources)


def family(cost_model: str) -> str:
    """The family of the device that a calibration is for."""
    for pattern, name in FAMILIES.items():
        if re.search(pattern, cost_model):
            return name
    return cost_model


def factor(sources: Ratios) -> float:
    """The median over sources of their medians."""
    return median(map(median, sources.values()))


def held_out(sources: Ratios) -> None:
    """Print the errors of each source, with a factor from all others."""
    before, after = [], []
    for held, ratios in sources.items():
        others = factor({name: sources[name] for name in sources if name != held})
        before.append(mean(abs(1 / ratio - 1) for ratio in ratios))
        after.append(mean(abs(others / ratio - 1) for ratio in ratios))
        print(f"  {held}: {others:.3f}; {before[-1]:.1%} -> {after[-1]:.1%}")
    print(f"  mean of sources: {mean(before):.1%} -> {mean(after):.1%}")


if __name__ == "__main__":
    main()
