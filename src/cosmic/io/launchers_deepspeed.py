"""A design as the JSON configuration of DeepSpeed.

Keys are those of DeepSpeed 0.19.6 (github.com/deepspeedai/DeepSpeed, commit edaa722):
docs/_pages/config-json.md, and deepspeed/runtime/zero/config.py for mics_shard_size.
"""

import json
from collections.abc import Iterator

from cosmic.io.launchers import (
    Launch,
    LaunchPlan,
    collective_environment,
    common_notes,
)

FRAMEWORK = "DeepSpeed 0.19.6"

_NEEDS = (
    "a training script that builds the model and calls deepspeed.initialize with this "
    "file",
    "data and a tokenizer, by that script",
    "an optimizer and a learning rate, by that script or by the keys optimizer and "
    "scheduler",
)


def deepspeed(plan: LaunchPlan) -> Launch:
    """The design as a configuration file of DeepSpeed."""
    arguments: dict[str, object] = {
        "train_batch_size": plan.batch,
        "train_micro_batch_size_per_gpu": plan.count("micro_batch"),
        "gradient_accumulation_steps": plan.micro_batches,
        **_precision(plan),
        "zero_optimization": _zero(plan),
        **_degrees(plan),
    }
    if plan.word("recompute") != "none":
        arguments["activation_checkpointing"] = {
            "partition_activations": False,
            "cpu_checkpointing": False,
        }
    return Launch(
        framework=FRAMEWORK,
        arguments=arguments,
        text=json.dumps(arguments, indent=2) + "\n",
        environment=collective_environment(plan),
        notes=(*_notes(plan), *common_notes(plan)),
        needs=_NEEDS,
        refusals=tuple(_refusals(plan)),
    )


def _refusals(plan: LaunchPlan) -> Iterator[str]:
    """What DeepSpeed says no to (deepspeed/runtime/pipe/engine.py; AutoEP's page)."""
    if plan.count("pp") > 1 and plan.weight_sharding > 1:
        yield (
            f"its pipeline engine refuses ZeRO stage {plan.weight_sharding}; take "
            f"pp 1, or weight_sharding 0 or 1"
        )
    if plan.count("ep") > 1 and plan.tensor > 1:
        yield "it does not combine AutoEP with AutoTP; take ep 1 or tp 1"


def _precision(plan: LaunchPlan) -> dict[str, object]:
    precision = plan.word("precision")
    kept = {"bf16": "bf16", "fp8": "bf16", "fp16": "fp16"}.get(precision)
    types: dict[str, object] = {
        "data_types": {"grad_accum_dtype": plan.gradient_precision}
    }
    return ({kept: {"enabled": True}} if kept else {}) | types


def _zero(plan: LaunchPlan) -> dict[str, object]:
    stage = plan.weight_sharding
    zero: dict[str, object] = {"stage": stage}
    if stage:
        zero |= {
            "overlap_comm": bool(plan.value("gradient_overlap")),
            "reduce_scatter": True,
            "contiguous_gradients": True,
        }
    if stage == 3:
        layer = plan.model.layer_weights // plan.tensor
        zero["stage3_prefetch_bucket_size"] = plan.count("prefetch") * layer
        if plan.sharding_group < plan.replicas:
            zero["mics_shard_size"] = plan.sharding_group
    return zero


def _degrees(plan: LaunchPlan) -> dict[str, object]:
    degrees: dict[str, object] = {}
    if plan.tensor > 1:
        degrees["tensor_parallel"] = {
            "autotp_size": plan.tensor,
            "tp_overlap_comm": bool(plan.value("tensor_overlap")),
        }
    if plan.count("ep") > 1:
        degrees["expert_parallel"] = {
            "enabled": True,
            "autoep_size": plan.count("ep"),
        }
    if plan.count("sp") > 1:
        degrees["sequence_parallel_size"] = plan.count("sp")
    return degrees


def _notes(plan: LaunchPlan) -> Iterator[str]:
    yield from _pipeline_notes(plan)
    yield from _split_notes(plan)
    yield from _sharding_notes(plan)
    yield from _recompute_notes(plan)
    if plan.word("precision") in ("fp8", "tf32"):
        yield (
            f"precision {plan.word('precision')} has no key: the model must do it "
            f"(Transformer Engine, torch.set_float32_matmul_precision)"
        )


def _pipeline_notes(plan: LaunchPlan) -> Iterator[str]:
    if plan.count("pp") == 1:
        return
    yield (
        f"pp has no key: build the model as PipelineModule(num_stages="
        f"{plan.count('pp')}), which runs 1F1B over gradient_accumulation_steps "
        f"micro-batches"
    )
    if plan.count("virtual_stages") > 1 or plan.word("schedule") != "1f1b":
        yield "schedule and virtual_stages have no equivalent: the engine runs 1F1B"
    if plan.uneven:
        yield (
            "first_stage_layers and last_stage_layers have no key: give PipelineModule "
            "a partition_method"
        )


def _split_notes(plan: LaunchPlan) -> Iterator[str]:
    if plan.tensor > 1 and plan.value("tensor_sequence"):
        yield "tensor_sequence has no equivalent: devices of tp keep all tokens"
    if plan.tensor > 1 and plan.count("pp") > 1:
        yield "whether AutoTP works inside PipelineModule is not documented"
    if plan.count("sp") > 1:
        yield (
            "sp takes UlyssesSPAttentionHF in the script, beside sequence_parallel_size"
        )
        if plan.word("sequence_method") != "ulysses":
            yield (
                f"sequence_method {plan.word('sequence_method')} has no equivalent: "
                f"DeepSpeed's is ulysses"
            )
    if plan.word("axis_order") != "tensor-sequence-data-pipeline":
        yield f"axis_order {plan.word('axis_order')} has no key"


def _sharding_notes(plan: LaunchPlan) -> Iterator[str]:
    if plan.weight_sharding and plan.sharding_group < plan.replicas:
        if plan.weight_sharding == 3:
            yield (
                "sharding_group is mics_shard_size, which also takes "
                "deepspeed.zero.MiCS_Init in the script; zero_hpz_partition_size would "
                "group the weights alone"
            )
        else:
            yield "sharding_group has no equivalent below ZeRO stage 3"


def _recompute_notes(plan: LaunchPlan) -> Iterator[str]:
    if plan.word("recompute") == "none":
        return
    yield (
        f"recompute {plan.word('recompute')} has no key: the model must call "
        f"deepspeed.checkpointing (or torch.utils.checkpoint) around "
        f"{_recomputed(plan)}"
    )


def _recomputed(plan: LaunchPlan) -> str:
    layers = plan.count("recompute_layers")
    what = "its layers" if plan.word("recompute") == "full" else "its attention cores"
    return f"{what}, {layers} of each stage" if layers else what
