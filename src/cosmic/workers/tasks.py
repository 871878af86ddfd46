"""Tasks that know nothing of each other, by processes of this machine."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from cosmic.errors import StudyError
from cosmic.workers.processes import start_worker

Task = TypeVar("Task")
Found = TypeVar("Found")


def done_by_processes(
    function: Callable[[Task], Found], tasks: Sequence[Task], workers: int
) -> Iterator[tuple[int, Found]]:
    """Do every task, with several processes at a time, and give what each comes to.

    Args:
        function: What is done; a function of a module.
        tasks: What it is done to.
        workers: How many processes; with one, this process does it all.

    Returns:
        The place of each task and what it came to, as they end.

    Raises:
        StudyError: If a process was ended by somebody else.
    """
    if workers == 1 or len(tasks) < 2:
        for place, task in enumerate(tasks):
            yield place, function(task)
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), start_worker)
    try:
        places: dict[Future[Found], int] = {
            pool.submit(function, task): place for place, task in enumerate(tasks)
        }
        for future in as_completed(places):
            yield places[future], future.result()
    except BrokenProcessPool as error:
        raise StudyError(
            "a worker process was ended from outside, perhaps for want of memory; what "
            "is recorded is kept: give the same command again"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
