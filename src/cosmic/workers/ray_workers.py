"""RayWorkers: points are evaluated by the actors of a Ray cluster."""

import os
import socket
from collections.abc import Sequence
from itertools import chain
from types import TracebackType
from typing import Any, Self

from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.errors import CosmicError, StudyError
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.evaluator import Evaluator, PointEvaluator
from cosmic.evaluation.objective import Objective
from cosmic.evaluation.scenario import Scenario
from cosmic.workers.shares import shares

_PATIENCE = 10  # seconds until a cluster should answer
_LEAVE_SOON = "RAY_gcs_rpc_server_reconnect_timeout_s", "5"
"""For how long Ray's processes look for a head that is gone, not a minute: what a
killed search leaves behind is soon gone, too."""

LOCAL = "local"
"""The address that stands for a Ray of this machine, started for the purpose."""


class RayWorkers(PointEvaluator):
    """Evaluates the points of a scenario on a Ray cluster.

    What is found does not depend on the number of workers. All machines need the same
    version of this package. What is lost with a machine is evaluated on another one.

    Args:
        scenario: What points mean and what is sought.
        address: Of a running cluster, as Ray has it (`auto`, `HOST:PORT`,
            `ray://HOST:PORT`); `local` starts one on this machine.
        workers: How many tasks share a batch, of one core each; as many as the cluster
            has cores, if left out.

    Raises:
        CosmicError: If Ray is not installed.
        StudyError: If no cluster answers at that address.
    """

    def __init__(
        self, scenario: Scenario, address: str = LOCAL, workers: int | None = None
    ) -> None:
        self._scenario = scenario
        self._ray = _connected(address, workers)
        cores = int(self._ray.cluster_resources().get("CPU", 1))
        self._workers = workers or max(1, cores)
        self._shared = [self._ray.put(scenario)]  # a list: a task fetches it at need
        self._task = self._ray.remote(num_cpus=1, max_retries=-1)(_evaluate)

    @property
    @override
    def objective(self) -> Objective:
        """What is sought."""
        return self._scenario.objective

    @override
    def evaluate(self, points: Sequence[DesignPoint]) -> Sequence[Evaluation]:
        """One evaluation for each point, in their order.

        Raises:
            StudyError: If the cluster was lost.
        """
        dealt = shares(points, self._workers)
        try:
            tasks = [self._task.remote(self._shared, share) for share in dealt]
            found = self._ray.get(tasks)
        except self._ray.exceptions.RayError as error:
            raise StudyError(
                f"the Ray cluster failed: {str(error).splitlines()[0]}; "
                "the trials before are recorded: go on with --resume"
            ) from error
        return list(chain.from_iterable(found))

    def close(self) -> None:
        """Leave the cluster, which ends if it was started for this."""
        self._ray.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


_evaluators: dict[Any, Evaluator] = {}  # of a process of the cluster


def _evaluate(shared: list[Any], points: Sequence[DesignPoint]) -> Sequence[Evaluation]:
    """The evaluations of some points; the scenario is fetched once a process."""
    import ray

    [scenario] = shared
    if scenario not in _evaluators:
        _evaluators.clear()
        _evaluators[scenario] = Evaluator(ray.get(scenario))
    return _evaluators[scenario].evaluate(points)


def _connected(address: str, workers: int | None) -> Any:
    """Ray, in touch with a cluster."""
    try:
        import ray
    except ImportError as error:
        raise CosmicError(
            "this needs Ray: pip install 'ray>=2.30', or install cosmic with its "
            "extra, cosmic[ray]"
        ) from error
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == LOCAL:
        quiet |= {"num_cpus": workers, "include_dashboard": False}
        os.environ.setdefault(*_LEAVE_SOON)
    try:
        _knock(address)
        ray.init(address, **quiet)
    except (OSError, ValueError, RuntimeError) as error:
        raise StudyError(
            f"no Ray cluster answers at {address!r}: {str(error).splitlines()[0]}; "
            f"give the address of one, or --ray alone to start one here"
        ) from error
    return ray


def _knock(address: str) -> None:
    """See whether anybody listens there, for which Ray itself waits for minutes.

    Raises:
        OSError: If nobody does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), _PATIENCE).close()
