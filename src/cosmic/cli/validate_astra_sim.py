"""`cosmic validate astra-sim`: our times of collectives beside those of ASTRA-sim."""

from cosmic.cli.compiled_code import patience
from cosmic.cli.console import remark, say, show_table, write_json
from cosmic.validation.astra_sim import Class, classes, predicted, read_rows


def validate_astra_sim(*, as_json: bool) -> None:
    """Time every collective of the table and print how far that is off, by reason."""
    rows = read_rows()
    with patience(remark):
        found = classes(rows)
    compared = [row for c in found if c.deviations for row in c.members]
    if as_json:
        write_json(
            {
                "classes": [_entry(c) for c in found],
                "rows": [
                    {
                        "id": row.id,
                        "astra_sim": row.measured,
                        "predicted": predicted(row),
                    }
                    for row in compared
                ],
            }
        )
        return
    say(f"{len(rows)} collectives that ASTRA-sim ran, {len(compared)} compared")
    say()
    say(
        "Our time over theirs, by the first reason for which the two models differ. "
        "What has no reason to differ is the check; the rest says what each reason is "
        "worth."
    )
    show_table(
        "by reason",
        ("reason", "rows", "median", "farthest", "row"),
        [_cells(c) for c in found],
        words=(0, 4),
    )


def _cells(c: Class) -> tuple[str, ...]:
    if not c.deviations:
        return (c.name, f"{c.rows}", "-", "-", "")
    return (c.name, f"{c.rows}", _ratio(c.median), _ratio(c.largest), c.worst)


def _ratio(deviation: float) -> str:
    return f"{1 + deviation:.3f}" if abs(deviation) < 1 else f"{1 + deviation:.1f}"


def _entry(c: Class) -> dict[str, object]:
    entry: dict[str, object] = {"reason": c.name, "rows": c.rows}
    if c.deviations:
        entry |= {"median": c.median, "largest": c.largest, "worst": c.worst}
    return entry
