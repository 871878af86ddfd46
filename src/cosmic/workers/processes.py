"""ProcessWorkers: points are evaluated by processes of this machine."""

import os
import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from types import TracebackType
from typing import Self

from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.errors import SpecError, StudyError
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.evaluator import Evaluator, PointEvaluator
from cosmic.evaluation.objective import Objective
from cosmic.evaluation.scenario import Scenario
from cosmic.workers.shares import shares


class ProcessWorkers(PointEvaluator):
    """Evaluates the points of a scenario in processes of this machine.

    What is found does not depend on their number, for evaluating has no other input
    than the point. A worker ends with the process that started it, however that ends.

    Args:
        scenario: What points mean and what is sought.
        workers: How many processes; each needs a core to be of use.

    Raises:
        SpecError: If there is to be no worker.
    """

    def __init__(self, scenario: Scenario, workers: int) -> None:
        if workers < 1:
            raise SpecError(f"there must be at least 1 worker, not {workers}")
        self._scenario = scenario
        self._workers = workers
        self._pool = ProcessPoolExecutor(
            workers, get_context("spawn"), _start, (scenario,)
        )

    @property
    @override
    def objective(self) -> Objective:
        """What is sought."""
        return self._scenario.objective

    @override
    def evaluate(self, points: Sequence[DesignPoint]) -> Sequence[Evaluation]:
        """One evaluation for each point, in their order.

        Raises:
            StudyError: If a worker was ended by somebody else.
        """
        dealt = shares(points, self._workers)
        try:
            return list(chain.from_iterable(self._pool.map(_evaluate, dealt)))
        except BrokenProcessPool as error:
            raise StudyError(
                "a worker process was ended from outside, perhaps for want of memory; "
                "the trials before are recorded: go on with --resume"
            ) from error

    def close(self) -> None:
        """End the workers."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


_evaluators: list[Evaluator] = []  # of a worker: the only one it has


def start_worker() -> None:
    """Make a worker end with its parent, and not by an interruption."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when to stop
    Thread(target=_end_with_parent, daemon=True).start()


def _start(scenario: Scenario) -> None:
    """Make a worker ready."""
    start_worker()
    _evaluators.append(Evaluator(scenario))


def _end_with_parent() -> None:
    """Wait for the end of the parent, which may be killed without a word."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _evaluate(points: Sequence[DesignPoint]) -> Sequence[Evaluation]:
    return _evaluators[0].evaluate(points)
