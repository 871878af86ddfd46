"""The passes that an inference is made of, each a workload that can be lowered."""

from dataclasses import replace

from cosmic.workload.inference import Task
from cosmic.workload.workload import Workload


def prefill(workload: Workload) -> Workload:
    """The prefill of a request."""
    return _pass(workload, Task.PREFILL, _asked(workload))


def decode(workload: Workload, context: int) -> Workload:
    """The decode step of a request that attends to so many tokens."""
    return _pass(workload, Task.DECODE, context)


def one_micro_batch(workload: Workload) -> Workload:
    """A pass of the first micro-batch of each replica alone."""
    batch = workload.micro_batch * workload.parallelism.data
    return replace(workload, batch=batch)


def needed_flops(workload: Workload) -> float:
    """Floating-point operations that an inference needs, over all its passes.

    Those of decode steps grow evenly with the context, so that their sum is that of as
    many steps in the middle.
    """
    assert workload.inference is not None
    contexts = workload.inference.contexts
    total = prefill(workload).model_flops if workload.inference.prefills else 0.0
    if contexts:
        ends = (decode(workload, context) for context in (contexts[0], contexts[-1]))
        total += len(contexts) * sum(step.model_flops for step in ends) / 2
    return total


def _asked(workload: Workload) -> int:
    assert workload.inference is not None
    return workload.inference.prompt


def _pass(workload: Workload, task: Task, prompt: int) -> Workload:
    assert workload.inference is not None
    asked = replace(workload.inference, task=task, prompt=prompt, output=1)
    return replace(workload, inference=asked)
