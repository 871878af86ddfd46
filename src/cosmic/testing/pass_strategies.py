"""Hypothesis strategies for passes of inference, small as those of `strategies`."""

from dataclasses import replace

from cosmic.testing.hypothesis_extra import strategies as st
from cosmic.testing.model_strategies import over_experts
from cosmic.testing.strategies import workloads
from cosmic.workload.inference import Inference, Task
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism, Recompute
from cosmic.workload.workload import Workload


@st.composite
def passes(draw: st.DrawFn, most_devices: int = 16) -> Workload:
    """A pass of inference of a small transformer, as `workloads` draws them."""
    trained = draw(workloads(most_devices))
    split = trained.parallelism
    split = replace(split, weight_sharding=0, sharding_group=0, virtual_stages=1)
    model = replace(trained.model, patches=None)
    prefill = draw(st.booleans())
    if not prefill:
        model = replace(model, causal=True)
        degree = split.data * split.sequence  # a decode step has one token a sequence
        split = replace(
            split,
            data=degree,
            sequence=1,
            tensor_sequence=False,
            tensor_overlap=False,
        )
    asked = Inference(
        task=Task.PREFILL if prefill else Task.DECODE,
        prompt=trained.model.sequence,
        weight_bits=draw(st.sampled_from((4, 8, 16))),
        cache_bits=draw(st.sampled_from((8, 16))),
    )
    own = trained.batch // trained.parallelism.data
    split = _with_experts(split, model)
    return replace(
        trained,
        model=model,
        batch=own * split.data,
        parallelism=split,
        recompute=Recompute.NONE,
        recompute_layers=0,
        stage_layers=_without_parts(trained),
        inference=asked,
    )


def _with_experts(split: Parallelism, model: TransformerModel) -> Parallelism:
    """The same groups of experts where they still fit, or none."""
    alone = replace(split, expert=1)
    return split if split in over_experts(alone, model) else alone


def _without_parts(trained: Workload) -> tuple[int, ...]:
    """Layers of each stage, all of its parts together."""
    return tuple(
        sum(trained.layers_of(stage)) for stage in range(trained.parallelism.pipeline)
    )
