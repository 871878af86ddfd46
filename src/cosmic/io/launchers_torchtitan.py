"""A design as the TOML job configuration of torchtitan.

Keys are those of torchtitan v0.2.2 (github.com/pytorch/torchtitan, commit 73a0e69),
torchtitan/config/job_config.py: the last release that reads TOML. Its main branch has
the same names as fields of Python classes instead.
"""

from collections.abc import Iterator, Mapping

import tomli_w

from cosmic.io.launchers import (
    Launch,
    LaunchPlan,
    collective_environment,
    common_notes,
    header,
)
from cosmic.workload.model import FeedForward, TransformerModel
from cosmic.workload.parallelism import Parallelism
from cosmic.workload.stage_layers import shared_out

FRAMEWORK = "torchtitan v0.2.2"

_NEEDS = (
    "data: [training] dataset and dataset_path",
    "a tokenizer: [model] hf_assets_path",
    "how long and how fast to learn: [training] steps, [optimizer], [lr_scheduler]",
)

_FLAVORS: Mapping[tuple[int, ...], tuple[str, str]] = {
    # layers, hidden, heads, key-value heads, feed-forward width
    (32, 4096, 32, 8, 14336): ("llama3", "8B"),
    (80, 8192, 64, 8, 28672): ("llama3", "70B"),
    (126, 16384, 128, 8, 53248): ("llama3", "405B"),
    (28, 2048, 16, 8, 6144): ("qwen3", "1.7B"),
    (36, 4096, 32, 8, 12288): ("qwen3", "8B"),
    (40, 5120, 40, 8, 17408): ("qwen3", "14B"),
    (64, 5120, 64, 8, 25600): ("qwen3", "32B"),
    # the same, experts, how many see a token, and the width of one
    (48, 2048, 32, 4, 6144, 128, 8, 768): ("qwen3", "30B-A3B"),
    (94, 4096, 64, 4, 12288, 128, 8, 1536): ("qwen3", "235B-A22B"),
    (60, 5120, 128, 128, 12288, 160, 6, 1536): ("deepseek_v3", "236B"),
    (61, 7168, 128, 128, 18432, 256, 8, 2048): ("deepseek_v3", "671B"),
}
"""Models that torchtitan names, by their shape (torchtitan/models/*/__init__.py)."""

_UNKNOWN = "unknown"  # a flavor that torchtitan refuses, rather than train another one
_ROTATION = {"all_gather": "allgather", "ring": "alltoall"}


def torchtitan(plan: LaunchPlan) -> Launch:
    """The design as a job configuration of torchtitan."""
    name, flavor = flavor_of(plan.model)
    model: dict[str, object] = {"name": name, "flavor": flavor}
    arguments: dict[str, dict[str, object]] = {
        "job": {"description": plan.title},
        "model": model,
        "training": _training(plan),
        "parallelism": _degrees(plan) | _pipeline(plan),
        "activation_checkpoint": _recompute(plan),
    }
    if plan.word("precision") == "fp8":
        model["converters"] = ["quantize.linear.float8"]
    if _asynchronous(plan):
        arguments["compile"] = {"enable": True}
    notes = (*_notes(plan), *common_notes(plan))
    return Launch(
        framework=FRAMEWORK,
        arguments=arguments,
        text=header(plan, FRAMEWORK, notes) + "\n" + tomli_w.dumps(arguments),
        environment=collective_environment(plan),
        notes=notes,
        needs=_NEEDS,
    )


def flavor_of(model: TransformerModel) -> tuple[str, str]:
    """What torchtitan calls a model, and a word that it refuses if it has none."""
    shape: tuple[int, ...] = (
        model.layers,
        model.hidden,
        model.heads,
        model.key_value_heads,
        model.feed_forward,
    )
    if model.experts is not None:
        experts = model.experts
        shape += (experts.experts, experts.top_k, experts.feed_forward)
    known = _FLAVORS if model.feed_forward_kind is FeedForward.SWIGLU else {}
    return known.get(shape, ("llama3", _UNKNOWN))


def _training(plan: LaunchPlan) -> dict[str, object]:
    """A pipeline takes all micro-batches at once; else gradients are accumulated."""
    pipelined = plan.count("pp") > 1
    share = plan.batch // plan.count("dp")
    kept = "float32" if plan.word("precision") in ("fp32", "tf32") else "bfloat16"
    return {
        "local_batch_size": share if pipelined else plan.count("micro_batch"),
        "global_batch_size": plan.batch,
        "seq_len": plan.model.sequence,
        "dtype": "float32",
        "mixed_precision_param": kept,
        "mixed_precision_reduce": "float32",
    }


def _degrees(plan: LaunchPlan) -> dict[str, object]:
    sharded, copies = _shards(plan)
    degrees: dict[str, object] = {
        "data_parallel_replicate_degree": copies,
        "data_parallel_shard_degree": sharded,
        "fsdp_reshard_after_forward": (
            "always" if plan.weight_sharding == 3 else "never"
        ),
        "tensor_parallel_degree": plan.tensor,
        "enable_async_tensor_parallel": _asynchronous(plan),
        "context_parallel_degree": plan.count("sp"),
        "pipeline_parallel_degree": plan.count("pp"),
    }
    if plan.count("sp") > 1 and plan.word("sequence_method") in _ROTATION:
        method = _ROTATION[plan.word("sequence_method")]
        degrees["context_parallel_rotate_method"] = method
    if plan.count("ep") > 1:
        degrees["expert_parallel_degree"] = plan.count("ep")
        degrees["expert_tensor_parallel_degree"] = plan.tensor
    return degrees


def _shards(plan: LaunchPlan) -> tuple[int, int]:
    """Data-parallel devices that share the weights, and how many copies there are.

    torchtitan shards over context-parallel devices as well, as the design does.
    """
    dp, sp = plan.count("dp"), plan.count("sp")
    if _replicated(plan):
        return 1, dp
    sharded = max(1, plan.sharding_group // sp)
    return sharded, dp // sharded


def _replicated(plan: LaunchPlan) -> bool:
    """Whether torchtitan can keep whole copies: with nothing but data parallelism."""
    alone = plan.devices == plan.count("dp")
    return not plan.weight_sharding and alone


def _asynchronous(plan: LaunchPlan) -> bool:
    return bool(plan.tensor > 1 and plan.value("tensor_overlap"))


def _pipeline(plan: LaunchPlan) -> dict[str, object]:
    if plan.count("pp") == 1:
        return {}
    pipeline: dict[str, object] = {
        "pipeline_parallel_schedule": _schedule(plan),
        "pipeline_parallel_microbatch_size": plan.count("micro_batch"),
        "pipeline_parallel_first_stage_less_layers": 0,
        "pipeline_parallel_last_stage_less_layers": 0,
    }
    if plan.uneven:
        pipeline["module_fqns_per_model_part"] = _modules(plan)
    elif plan.model.layers % plan.stages == 0:
        layers = plan.model.layers // plan.stages
        pipeline["pipeline_parallel_layers_per_stage"] = layers
    return pipeline


def _schedule(plan: LaunchPlan) -> str:
    if plan.word("schedule") == "gpipe":
        return "GPipe"
    return "Interleaved1F1B" if plan.count("virtual_stages") > 1 else "1F1B"


def _modules(plan: LaunchPlan) -> list[list[str]]:
    """The modules of every stage, where the first or the last one differs."""
    counts = stage_layers(plan)
    parts, start = [], 0
    for count in counts:
        parts.append([f"layers.{n}" for n in range(start, start + count)])
        start += count
    parts[0].insert(0, "tok_embeddings")
    parts[-1] += ["norm", "output"]
    return parts


def stage_layers(plan: LaunchPlan) -> tuple[int, ...]:
    """Layers of each virtual stage: the ends as they are said, the others alike.

    >>> from cosmic.io.specs import load_model
    >>> settings = {"npus_count": 4, "pp": 4, "last_stage_layers": 7}
    >>> model = load_model("gpt3-13b")
    >>> plan = LaunchPlan(title="", model=model, batch=4, settings=settings)
    >>> stage_layers(plan)
    (11, 11, 11, 7)
    """
    first, last = plan.count("first_stage_layers"), plan.count("last_stage_layers")
    split = Parallelism(
        pipeline=plan.count("pp"), virtual_stages=plan.count("virtual_stages")
    )
    return shared_out(plan.model.layers, split, first, last)


def _recompute(plan: LaunchPlan) -> dict[str, object]:
    every = _every(plan)
    match plan.word("recompute"):
        case "full" if every > 1:
            return {"mode": "selective", "selective_ac_option": str(every)}
        case "selective":
            return {"mode": "selective", "selective_ac_option": "op"}
        case mode:
            return {"mode": mode}


def _every(plan: LaunchPlan) -> int:
    """One layer of how many is recomputed; 1 for all of them."""
    layers = plan.count("recompute_layers")
    return max(1, plan.model.layers // plan.stages // layers) if layers else 1


def _notes(plan: LaunchPlan) -> Iterator[str]:
    if flavor_of(plan.model)[1] == _UNKNOWN:
        model = plan.model
        yield (
            f"no flavor of torchtitan's has {model.layers} layers, hidden "
            f"{model.hidden}, {model.heads} heads ({model.key_value_heads} of keys and "
            f"values), feed_forward {model.feed_forward}: register one, and name it "
            f"in [model]"
        )
    yield from _sharding_notes(plan)
    yield from _split_notes(plan)
    yield from _pipeline_notes(plan)
    yield from _recompute_notes(plan)
    yield from _precision_notes(plan)
    if plan.value("dropout"):
        yield "dropout has no equivalent: torchtitan's models have none"


def _sharding_notes(plan: LaunchPlan) -> Iterator[str]:
    stage = plan.weight_sharding
    if stage < 3 and plan.replicas > 1 and not _replicated(plan):
        yield (
            f"weight_sharding {stage} has no equivalent: FSDP shards gradients and "
            f"optimizer state, and keeps weights from forward to backward (never "
            f"resharded), which is nearest to ZeRO 2"
        )
    if stage and plan.sharding_group % plan.count("sp"):
        yield "sharding_group must be a multiple of sp: all of sp shares the weights"
    if not plan.value("gradient_overlap"):
        yield "gradient_overlap false has no equivalent: FSDP reduces behind backward"
    if stage == 3 and plan.count("prefetch") != 1:
        yield (
            f"prefetch {plan.count('prefetch')} has no equivalent: FSDP gathers the "
            f"next layer ahead"
        )


def _split_notes(plan: LaunchPlan) -> Iterator[str]:
    if plan.tensor > 1 and not plan.value("tensor_sequence"):
        yield "tensor_sequence false has no equivalent: devices of tp share tokens"
    if plan.count("sp") > 1 and plan.word("sequence_method") not in _ROTATION:
        yield (
            f"sequence_method {plan.word('sequence_method')} has no equivalent: "
            f"keys and values are gathered"
        )
    if plan.word("axis_order") != "tensor-sequence-data-pipeline":
        yield (
            f"axis_order {plan.word('axis_order')} has no equivalent: ranks count "
            f"through tensor, context, data and pipeline"
        )


def _pipeline_notes(plan: LaunchPlan) -> Iterator[str]:
    if plan.count("pp") == 1:
        return
    if plan.word("schedule") == "zb-h1":
        yield (
            "schedule zb-h1 has no equivalent: it will run 1F1B; "
            "InterleavedZeroBubble needs two stages a device"
        )


def _recompute_notes(plan: LaunchPlan) -> Iterator[str]:
    if plan.word("recompute") == "selective":
        yield (
            "recompute selective: torchtitan's keeps matrix products and attention by "
            "operator and recomputes the rest, where the design recomputes attention"
        )
    layers = plan.count("recompute_layers")
    if layers and plan.word("recompute") == "full":
        yield (
            f"recompute_layers {layers}: here every n-th layer, n = {_every(plan)}, is "
            f"recomputed"
        )


def _precision_notes(plan: LaunchPlan) -> Iterator[str]:
    precision = plan.word("precision")
    if precision == "fp16":
        yield "precision fp16 has no equivalent: bfloat16 is written"
    if precision == "tf32":
        yield "precision tf32 takes torch.set_float32_matmul_precision('high')"
    if plan.gradient_precision != "fp32":
        yield (
            f"gradients of {plan.gradient_precision} have no equivalent: torchtitan "
            f"reduces them in float32, with float32 weights kept"
        )
