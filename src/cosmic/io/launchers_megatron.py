"""A design as arguments of Megatron-LM's pretrain_gpt.py, in a shell script.

Names are those of Megatron-LM core_v0.19.0 (github.com/NVIDIA/Megatron-LM, commit
5be9626): megatron/training/arguments.py, and the configuration classes from whose
fields it makes arguments (megatron/core/transformer/transformer_config.py,
megatron/core/model_parallel_config.py, megatron/training/config/).
"""

import shlex
from collections.abc import Callable, Iterator

from cosmic.io.launchers import (
    Launch,
    LaunchPlan,
    collective_environment,
    common_notes,
    header,
)
from cosmic.io.launchers_megatron_model import (
    Argument,
    model_arguments,
    model_notes,
)

FRAMEWORK = "Megatron-LM core_v0.19.0"

_NEEDS = (
    "data: --data-path PREFIX, or --mock-data to try",
    "a tokenizer: --tokenizer-type and --tokenizer-model, or NullTokenizer with mock "
    "data",
    "how long and how fast to learn: --train-iters, --lr, --lr-decay-style, ...",
    "the name of the first node in HEAD_NODE, and the script on every node",
)

_ORDERS = {
    "tensor-sequence-data-pipeline": (),
    "tensor-sequence-pipeline-data": (("--use-tp-pp-dp-mapping", None),),
}
_SHARDING = {2: "optim_grads", 3: "optim_grads_params"}
_SEQUENCE_METHODS = {"ring": "p2p", "all_gather": "all_gather", "ulysses": "a2a"}


def megatron(plan: LaunchPlan) -> Launch:
    """The design as a script that runs pretrain_gpt.py.

    What is given to the script goes on to pretrain_gpt.py, such as data and tokenizer.
    """
    arguments = [argument for part in _PARTS for argument in part(plan)]
    environment = _environment(plan)
    notes = (*_notes(plan), *common_notes(plan))
    lines = [f"  {' '.join(_words(argument))}" for argument in arguments]
    exports = [f"export {name}={value}" for name, value in environment.items()]
    hints = [f"# export {n}='{v}'" for n, v in collective_environment(plan).items()]
    if hints:
        hints.insert(0, "# to hold NCCL to the design's algorithms:")
    script = [*exports, *hints, "ARGUMENTS=(", *lines, ")", _command(plan)]
    text = "\n".join(script) + "\n"
    return Launch(
        framework=FRAMEWORK,
        arguments=dict(arguments),
        text="#!/usr/bin/env bash\n" + header(plan, FRAMEWORK, notes) + text,
        environment=environment | collective_environment(plan),
        notes=notes,
        needs=_NEEDS,
    )


def _words(argument: Argument) -> list[str]:
    """An argument as a shell reads it."""
    name, value = argument
    return [name] if value is None else [name, shlex.quote(str(value))]


def _model(plan: LaunchPlan) -> Iterator[Argument]:
    yield from model_arguments(plan.model)
    yield "--attention-backend", "flash" if plan.value("fused_attention") else "unfused"
    if not plan.value("dropout"):
        yield "--attention-dropout", 0.0
        yield "--hidden-dropout", 0.0


def _batch(plan: LaunchPlan) -> Iterator[Argument]:
    yield "--micro-batch-size", plan.count("micro_batch")
    yield "--global-batch-size", plan.batch


def _degrees(plan: LaunchPlan) -> Iterator[Argument]:
    yield "--tensor-model-parallel-size", plan.tensor
    yield "--pipeline-model-parallel-size", plan.count("pp")
    if plan.count("sp") > 1:
        method = plan.word("sequence_method")
        yield "--context-parallel-size", plan.count("sp")
        yield "--cp-comm-type", _SEQUENCE_METHODS[method]
    if plan.count("ep") > 1:
        yield "--expert-model-parallel-size", plan.count("ep")
    if plan.tensor > 1 and plan.value("tensor_sequence"):
        yield "--sequence-parallel", None
        if plan.value("tensor_overlap"):
            yield "--tp-comm-overlap", None
    yield from _ORDERS.get(plan.word("axis_order"), ())


def _pipeline(plan: LaunchPlan) -> Iterator[Argument]:
    if plan.count("pp") == 1:
        return
    if plan.count("virtual_stages") > 1:
        yield "--num-virtual-stages-per-pipeline-rank", plan.count("virtual_stages")
    for end in ("first", "last"):
        layers = plan.count(f"{end}_stage_layers")
        if layers:
            yield f"--decoder-{end}-pipeline-num-layers", layers


def _sharding(plan: LaunchPlan) -> Iterator[Argument]:
    stage, copies = plan.weight_sharding, plan.replicas // plan.sharding_group
    if plan.replicas == 1:
        return
    if stage:
        yield "--use-distributed-optimizer", None
    if stage and copies > 1:
        yield "--num-distributed-optimizer-instances", copies
    if stage in _SHARDING:
        yield "--use-megatron-fsdp", None
        yield "--data-parallel-sharding-strategy", _SHARDING[stage]
        yield "--no-gradient-accumulation-fusion", None
        yield "--ckpt-format", "fsdp_dtensor"
    if plan.value("gradient_overlap"):
        yield "--overlap-grad-reduce", None
        if stage and plan.count("prefetch"):
            yield "--overlap-param-gather", None


def _recompute(plan: LaunchPlan) -> Iterator[Argument]:
    match plan.word("recompute"):
        case "selective":
            yield "--recompute-granularity", "selective"
            yield "--recompute-modules", "core_attn"
        case "full":
            layers = plan.count("recompute_layers")
            yield "--recompute-granularity", "full"
            yield "--recompute-method", "block" if layers else "uniform"
            yield "--recompute-num-layers", layers or 1
        case _:
            pass


def _precision(plan: LaunchPlan) -> Iterator[Argument]:
    precision = plan.word("precision")
    if precision in ("bf16", "fp8"):
        yield "--bf16", None
        if plan.gradient_precision == "bf16":
            yield "--grad-reduce-in-bf16", None
    elif precision == "fp16":
        yield "--fp16", None
        if plan.gradient_precision == "fp32":
            yield "--accumulate-allreduce-grads-in-fp32", None
    if precision == "fp8":
        yield "--fp8-format", "hybrid"


_PARTS: tuple[Callable[[LaunchPlan], Iterator[Argument]], ...] = (
    _model,
    _batch,
    _degrees,
    _pipeline,
    _sharding,
    _recompute,
    _precision,
)


def _environment(plan: LaunchPlan) -> dict[str, str]:
    """One queue to the device keeps tensor collectives in order, but stops FSDP."""
    split = plan.tensor > 1 or plan.count("sp") > 1
    fsdp = plan.weight_sharding in _SHARDING and plan.replicas > 1
    return {"CUDA_DEVICE_MAX_CONNECTIONS": "1"} if split and not fsdp else {}


def _command(plan: LaunchPlan) -> str:
    nodes, node = '"${NODES:?}"', '"${DEVICES_PER_NODE:?}"'
    if plan.node:
        nodes, node = (
            str(-(-plan.devices // plan.node)),
            str(min(plan.node, plan.devices)),
        )
    return (
        f"torchrun --nnodes {nodes} --nproc-per-node {node} \\\n"
        f'  --rdzv-backend c10d --rdzv-endpoint "${{HEAD_NODE:?}}" \\\n'
        f'  pretrain_gpt.py "${{ARGUMENTS[@]}}" "$@"'
    )


def _notes(plan: LaunchPlan) -> Iterator[str]:
    yield from model_notes(plan.model)
    yield from _pipeline_notes(plan)
    yield from _split_notes(plan)
    yield from _precision_notes(plan)
    if plan.word("axis_order") not in _ORDERS:
        yield (
            f"axis_order {plan.word('axis_order')} has no equivalent: ranks count "
            f"through tensor, context, data and pipeline"
        )


def _pipeline_notes(plan: LaunchPlan) -> Iterator[str]:
    if plan.count("pp") > 1 and plan.word("schedule") != "1f1b":
        yield f"schedule {plan.word('schedule')} has no equivalent: it will run 1F1B"
    if plan.count("recompute_layers") and plan.word("recompute") == "selective":
        yield "recompute_layers has no equivalent with selective: all layers recompute"


def _split_notes(plan: LaunchPlan) -> Iterator[str]:
    if plan.model.experts and plan.tensor > 1 and not plan.value("tensor_sequence"):
        yield "tensor_sequence false: with tp, Megatron-LM trains experts only with it"
    if plan.weight_sharding in _SHARDING and plan.replicas > 1:
        yield (
            f"weight_sharding {plan.weight_sharding} is Megatron-FSDP; leave "
            f"CUDA_DEVICE_MAX_CONNECTIONS unset, or above 1"
        )
    tokens = 2 * plan.count("sp")
    if tokens > 2 and plan.model.sequence % tokens:
        yield f"context parallelism needs a sequence that {tokens} divides"
    if plan.count("prefetch") > 1:
        yield (
            f"prefetch {plan.count('prefetch')} has no equivalent in layers: weights "
            f"are gathered a bucket ahead"
        )


def _precision_notes(plan: LaunchPlan) -> Iterator[str]:
    if plan.word("precision") == "tf32":
        yield (
            "precision tf32: weights stay fp32, and PyTorch multiplies in TF32 only "
            "after torch.set_float32_matmul_precision('high')"
        )
    if plan.word("precision") in ("bf16", "fp8") and plan.gradient_precision == "bf16":
        yield (
            "gradients are added up in bf16, as in the design; Megatron-LM's own "
            "choice is fp32, which takes 2 bytes a weight more"
        )
