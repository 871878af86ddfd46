"""Who evaluates designs: this process, others of this machine, or a Ray cluster."""

from contextlib import AbstractContextManager, nullcontext

from cosmic.evaluation.evaluator import Evaluator, PointEvaluator
from cosmic.evaluation.scenario import Scenario


def workers_for(
    scenario: Scenario, workers: int | None, ray: str | None
) -> AbstractContextManager[PointEvaluator]:
    """An evaluator of a scenario, to be closed after use.

    Args:
        scenario: What points mean.
        workers: How many processes; this one alone, if left out.
        ray: Address of a Ray cluster, or `local`.

    Raises:
        StudyError: If no cluster answers at the address.
        CosmicError: If Ray is not installed.
    """
    if ray is not None:
        from cosmic.workers.ray_workers import RayWorkers

        return RayWorkers(scenario, ray, workers)
    if workers is not None and workers > 1:
        from cosmic.workers.processes import ProcessWorkers

        return ProcessWorkers(scenario, workers)
    return nullcontext(Evaluator(scenario))
