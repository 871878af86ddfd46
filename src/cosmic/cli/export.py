"""`cosmic export`: a study as a flat table."""

from cosmic.cli.console import remark, say
from cosmic.cli.wording import unfinished_text
from cosmic.io.study_export import export_study


def export_log(log: str, output: str, file_format: str | None) -> None:
    """Write a trial log as a table, and say what it holds.

    Raises:
        StudyError: The log is damaged, or the table cannot be written.
        SpecError: The format is not known.
        CosmicError: DuckDB is missing.
    """
    done = export_study(log, output, file_format)
    if done.unfinished:
        remark(unfinished_text(log, done.unfinished))
    say(f"{output}: {done.rows:,} trials, {len(done.columns)} columns")
