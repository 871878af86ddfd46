"""The section of a report on a study that tells what matters."""

from collections.abc import Iterator, Mapping, Sequence

from cosmic.cli.gains import where_gain_comes_from
from cosmic.cli.studied import Studied
from cosmic.cli.wording import gain, genes, ratio_text, value_text
from cosmic.design.parameter import PointValue
from cosmic.report.page_parts import Block, Section, Table
from cosmic.report.study_charts import Tornado, share_chart, tornado_chart
from cosmic.search.understanding import Alternative

_NEGLIGIBLE = 0.005
_MOST_ROWS = 14  # parameters in a chart of them


def sensitivity_section(study: Studied) -> Section | None:
    """What matters; None where nothing is known of it."""
    blocks = [*_path_blocks(study), *_tornado_blocks(study), *_share_blocks(study)]
    if not blocks:
        return None
    return Section(name="sensitivity", title="What matters", blocks=tuple(blocks))


def _path_blocks(study: Studied) -> Iterator[Block]:
    """What each change from the baseline to the best design gained."""
    if study.path:
        yield (
            "From the baseline to the best design, one change at a time, the most "
            "useful one first; what rules tie together changes together."
        )
        yield _path_table(study)


def _tornado_blocks(study: Studied) -> Iterator[Block]:
    """What each choice costs if it is made otherwise."""
    rows, infeasible = _tornado(study)
    if not rows:
        return
    yield (
        "The best design with one thing chosen otherwise: each dot is such a design, "
        "the line at 1 is the best one, and farther to the right is worse."
        + (f" {infeasible:,} such designs are not feasible." if infeasible else "")
        + _of_all(len(rows))
    )
    better = _better_still(rows)
    if better:
        yield better
    about = (
        "For each parameter how many times worse the best design gets if that is "
        "chosen otherwise."
    )
    yield tornado_chart("otherwise", about, rows[:_MOST_ROWS])
    yield _tornado_table(rows)


def _better_still(rows: Sequence[Tornado]) -> str:
    """That the search has not come to its end, where a dot is left of the line."""
    found = [
        (times, text)
        for row in rows
        for times, text in zip(row.times_worse, row.texts, strict=True)
        if times < 1 - _NEGLIGIBLE
    ]
    if not found:
        return ""
    times, text = min(found)
    count = "One of them is" if len(found) == 1 else f"{len(found)} of them are"
    return (
        f"{count} better than the best design that was tried, so a longer search would "
        f"find more: {ratio_text(1 / times)} times better with {text}."
    )


def _share_blocks(study: Studied) -> Iterator[Block]:
    """How much of the differences between trials goes with each parameter."""
    if study.shares:
        yield (
            "How much of the differences between trials goes with each parameter by "
            "itself; the thin line is a 90 % range."
        )
        shares = [(one.name, one.share, one.low, one.high) for one in study.shares]
        about = "Shares of the differences between trials that go with each parameter."
        yield share_chart("shares", about, shares[:_MOST_ROWS])


def _tornado(study: Studied) -> tuple[list[Tornado], int]:
    """The best design with one thing chosen otherwise, what matters most first.

    Also how many such designs are not feasible.
    """
    if study.best is None or study.objective is None:
        return [], 0
    found: dict[str, list[tuple[float, str]]] = {}
    infeasible = 0
    for other in study.others:
        times = gain(
            study.objective, other.evaluation.metrics, study.best.evaluation.metrics
        )
        if not other.evaluation.feasible or times is None:
            infeasible += 1
            continue
        name = next(iter(other.changed))
        found.setdefault(name, []).append((times, _changed_text(other)))
    rows = [
        Tornado(
            name=name,
            times_worse=tuple(times for times, _ in sorted(each)),
            texts=tuple(text for _, text in sorted(each)),
        )
        for name, each in found.items()
    ]
    return sorted(rows, key=lambda row: -max(row.times_worse)), infeasible


def _path_table(study: Studied) -> Table:
    """What each change from the baseline to the best design gained."""
    assert study.objective is not None
    assert study.scenario is not None
    before = study.start
    last: Mapping[str, PointValue] = study.scenario.baseline
    rows = []
    for change in study.path:
        point, after = change.point, change.evaluation.metrics
        named = "; ".join(_moved(name, last, point) for name in change.names)
        if change.evaluation.feasible:
            step = gain(study.objective, before, after)
            whole = gain(study.objective, study.start, after)
            why = where_gain_comes_from(study.objective, before, after)
            rows.append((named, _gain_text(step), _gain_text(whole), why))
            before = after
        else:
            why = change.evaluation.violations[0].message
            rows.append((named, "–", "–", f"not feasible by itself: {why}"))
        last = {**last, **point}
    return Table(
        heads=("change", "times better", "in all", "because"),
        rows=tuple(rows),
        words=(0, 3),
        look="prose path",
    )


def _moved(
    name: str, old: Mapping[str, PointValue], new: Mapping[str, PointValue]
) -> str:
    """What changed of a parameter, of a vector only the elements that did."""
    before, after = dict(genes({name: old[name]})), dict(genes({name: new[name]}))
    return ", ".join(
        f"{gene} {before.get(gene, '–')} → {value}"
        for gene, value in after.items()
        if before.get(gene) != value
    )


def _gain_text(times: float | None) -> str:
    if times is not None and abs(times - 1) < _NEGLIGIBLE:
        return "the same"
    return ratio_text(times)


def _changed_text(other: Alternative) -> str:
    return ", ".join(
        f"{name} {value_text(name, value)}" for name, value in other.changed.items()
    )


def _tornado_table(rows: Sequence[Tornado]) -> Table:
    cells = [
        (row.name, text, ratio_text(times))
        for row in rows
        for times, text in zip(row.times_worse, row.texts, strict=True)
    ]
    return Table(
        heads=("parameter", "chosen otherwise", "times worse"),
        rows=tuple(cells),
        words=(0, 1),
        folded=f"The numbers, {len(cells):,} designs",
    )


def _of_all(count: int) -> str:
    if count <= _MOST_ROWS:
        return ""
    return f" The {_MOST_ROWS} of {count} parameters that matter most are shown."
