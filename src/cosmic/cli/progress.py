"""Live progress on the terminal: trials a second, feasible share, best so far."""

from collections.abc import Callable
from time import monotonic

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.progress import TimeRemainingColumn as Remaining

from cosmic.cli.console import stderr
from cosmic.search.study import Study

Watcher = Callable[[Study], None]


class TrialProgress:
    """Progress bars of studies, one under the other, if there is a terminal."""

    def __init__(self) -> None:
        console = stderr()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[found]}"),
            Remaining(),
            console=console,
            disable=not console.is_terminal,
        )

    def watch(self, name: str, trials: int) -> Watcher:
        """Begin a bar.

        Args:
            name: What stands before it.
            trials: How many trials fill it.

        Returns:
            What a study is to call after each batch.
        """
        task = self._progress.add_task(name, total=trials, found="")
        start = monotonic()

        def update(study: Study) -> None:
            rate = len(study) / max(monotonic() - start, 1e-3)
            found = f"{rate:,.0f}/s, {study.feasible_count / len(study):.0%} feasible"
            if study.feasible_count:
                best = study.best().evaluation.metrics
                found += f", best {study.objective.value(best):.4g}"
            self._progress.update(task, completed=len(study), found=found)

        return update

    def __enter__(self) -> "TrialProgress":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
