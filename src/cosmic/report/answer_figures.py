"""Pictures of answers to design questions: where time goes, and how it grows."""

from collections.abc import Mapping, Sequence

from cosmic.report.figures import picture


def parts_figure(
    title: str, designs: Mapping[str, Mapping[str, float]], path: str
) -> None:
    """Draw what the time of designs is made of: a bar for each, a colour for each part.

    The same designs make the same file, byte by byte.

    Args:
        title: What stands above.
        designs: Name to seconds of each part; parts that are nowhere are left out.
        path: Where to write; the ending says in what format.

    Raises:
        SpecError: There is no such format.
        OSError: The file cannot be written.
    """
    names = list(designs)
    parts = list(dict.fromkeys(part for one in designs.values() for part in one))
    most = max(sum(one.values()) for one in designs.values())
    with picture(title, path, (8, 2 + 0.5 * len(names))) as axes:
        starts = [0.0] * len(names)
        for part in parts:
            widths = [designs[name].get(part, 0.0) for name in names]
            if max(widths) < most / 1000:
                continue
            axes.barh(names, widths, left=starts, label=part)
            pairs = zip(starts, widths, strict=True)
            starts = [start + width for start, width in pairs]
        axes.invert_yaxis()
        axes.set_axisbelow(True)
        axes.set_xlim(0, most * 1.6)  # room for the legend
        axes.set_xlabel("seconds")


def scaling_figure(
    title: str,
    names: tuple[str, str],
    lines: Mapping[str, Sequence[tuple[float, float]]],
    path: str,
) -> None:
    """Draw lines of points over a quantity that doubles from point to point.

    The same lines make the same file, byte by byte.

    Args:
        title: What stands above.
        names: Of the two quantities, with units.
        lines: Name to points.
        path: Where to write; the ending says in what format.

    Raises:
        SpecError: There is no such format.
        OSError: The file cannot be written.
    """
    with picture(title, path) as axes:
        for name, points in lines.items():
            axes.plot([x for x, _ in points], [y for _, y in points], "o-", label=name)
        axes.set_xscale("log", base=2)
        places = sorted({x for points in lines.values() for x, _ in points})
        axes.set_xticks(places, [f"{place:,.0f}" for place in places])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.set_xlabel(names[0])
        axes.set_ylabel(names[1])
