"""A framework is told the design, in its own words and types, and nothing else."""

import argparse
import json
import shlex
import tomllib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.design.parameter import PointValue
from cosmic.io.launchers import LaunchPlan, collective_environment, common_notes
from cosmic.io.launchers_deepspeed import deepspeed
from cosmic.io.launchers_megatron import megatron
from cosmic.io.launchers_torchtitan import flavor_of, stage_layers, torchtitan
from cosmic.io.models import load_model
from cosmic.workload.model import FeedForward, TransformerModel

GPT = TransformerModel(
    layers=48,
    hidden=4096,
    heads=32,
    key_value_heads=32,
    head_dim=128,
    feed_forward=16384,
    sequence=4096,
    vocabulary=50257,
)
LLAMA_3_70B = TransformerModel(
    layers=80,
    hidden=8192,
    heads=64,
    key_value_heads=8,
    head_dim=128,
    feed_forward=28672,
    feed_forward_kind=FeedForward.SWIGLU,
    sequence=8192,
    vocabulary=128256,
    tied_embeddings=False,
    learned_positions=False,
)
NODE = 8
WHOLE: dict[str, type] = {  # as Megatron-LM's arguments read them
    "num-layers": int,
    "hidden-size": int,
    "ffn-hidden-size": int,
    "num-attention-heads": int,
    "num-query-groups": int,
    "kv-channels": int,
    "seq-length": int,
    "max-position-embeddings": int,
    "micro-batch-size": int,
    "global-batch-size": int,
    "tensor-model-parallel-size": int,
    "pipeline-model-parallel-size": int,
    "context-parallel-size": int,
    "expert-model-parallel-size": int,
    "num-virtual-stages-per-pipeline-rank": int,
    "decoder-first-pipeline-num-layers": int,
    "decoder-last-pipeline-num-layers": int,
    "num-distributed-optimizer-instances": int,
    "recompute-num-layers": int,
    "num-experts": int,
    "moe-router-topk": int,
    "moe-ffn-hidden-size": int,
    "moe-shared-expert-intermediate-size": int,
    "moe-layer-freq": str,
    "moe-expert-capacity-factor": float,
    "q-lora-rank": int,
    "kv-lora-rank": int,
    "qk-head-dim": int,
    "qk-pos-emb-head-dim": int,
    "v-head-dim": int,
    "attention-dropout": float,
    "hidden-dropout": float,
}
WORDS = {
    "position-embedding-type": ("learned_absolute", "rope", "relative", "none"),
    "normalization": ("LayerNorm", "RMSNorm"),
    "attention-backend": ("flash", "fused", "unfused", "local", "auto"),
    "cp-comm-type": ("p2p", "a2a", "all_gather", "a2a+p2p"),
    "data-parallel-sharding-strategy": (
        "no_shard",
        "optim",
        "optim_grads",
        "optim_grads_params",
    ),
    "ckpt-format": ("torch", "torch_dist", "torch_dcp", "fsdp_dtensor"),
    "recompute-granularity": ("full", "selective"),
    "recompute-method": ("uniform", "block"),
    "recompute-modules": ("core_attn", "mlp", "moe", "layernorm"),
    "fp8-format": ("e4m3", "hybrid"),
    "moe-router-score-function": ("softmax", "sigmoid"),
    "moe-token-dispatcher-type": ("allgather", "alltoall", "flex"),
}
SWITCHES = (
    "group-query-attention",
    "swiglu",
    "quick-geglu",
    "qk-layernorm",
    "add-qkv-bias",
    "multi-latent-attention",
    "moe-grouped-gemm",
    "moe-shared-expert-gate",
    "moe-router-enable-expert-bias",
    "moe-pad-expert-input-to-capacity",
    "disable-bias-linear",
    "untie-embeddings-and-output-weights",
    "sequence-parallel",
    "tp-comm-overlap",
    "use-tp-pp-dp-mapping",
    "use-distributed-optimizer",
    "use-megatron-fsdp",
    "no-gradient-accumulation-fusion",
    "overlap-grad-reduce",
    "overlap-param-gather",
    "bf16",
    "fp16",
    "grad-reduce-in-bf16",
    "accumulate-allreduce-grads-in-fp32",
)


def plan(**settings: PointValue) -> LaunchPlan:
    """A plan for a GPT on as many devices as the degrees make up."""
    return plan_of(GPT, **settings)


def plan_of(model: TransformerModel, **settings: PointValue) -> LaunchPlan:
    """The same for some model."""
    degrees = [int(str(settings.get(name, 1))) for name in ("dp", "tp", "pp", "sp")]
    dp, tp, pp, sp = degrees
    given: dict[str, PointValue] = {
        "npus_count": dp * tp * pp * sp,
        "tp": tp,
        "all_reduce_algorithm": ("ring", "ring"),
        "all_gather_algorithm": ("ring", "ring"),
        "reduce_scatter_algorithm": ("ring", "ring"),
        "scheduling_policy": "FIFO",
        **settings,
    }
    return LaunchPlan(
        title="a test",
        model=model,
        batch=64 * dp,
        settings=given,
        node=NODE,
        library=True,
    )


def megatron_reads(launch: LaunchPlan) -> argparse.Namespace:
    """What Megatron-LM's parser would make of the script's arguments."""
    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
    for name, kind in WHOLE.items():
        parser.add_argument(f"--{name}", type=kind)
    for name, choices in WORDS.items():
        parser.add_argument(f"--{name}", type=str, choices=choices)
    for name in SWITCHES:
        parser.add_argument(f"--{name}", action="store_true")
    text = megatron(launch).text
    inside = text[text.index("ARGUMENTS=(") : text.index("\n)\n")]
    return parser.parse_args(shlex.split(inside)[1:])


def titan_reads(launch: LaunchPlan) -> dict[str, Any]:
    return tomllib.loads(torchtitan(launch).text)


def deepspeed_reads(launch: LaunchPlan) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(deepspeed(launch).text)
    return document


def notes(made: Any) -> str:
    return "\n".join(made.notes)


DEGREES = st.sampled_from([1, 2, 4, 8])
DESIGNS = st.fixed_dictionaries(
    {
        "dp": DEGREES,
        "tp": DEGREES,
        "pp": DEGREES,
        "sp": st.sampled_from([1, 2]),
        "micro_batch": st.sampled_from([1, 2, 4]),
        "weight_sharding": st.sampled_from([0, 1, 2, 3]),
        "recompute": st.sampled_from(["none", "selective", "full"]),
        "tensor_sequence": st.booleans(),
        "schedule": st.sampled_from(["1f1b", "gpipe", "zb-h1"]),
        "virtual_stages": st.sampled_from([1, 2, 3]),
        "precision": st.sampled_from(["fp32", "tf32", "bf16", "fp16", "fp8"]),
        "sequence_method": st.sampled_from(["all_gather", "ulysses", "ring"]),
    }
)


@given(design=DESIGNS)
def test_megatron_reads_the_degrees_and_batches_of_the_design(
    design: dict[str, PointValue],
) -> None:
    read = megatron_reads(plan(**design))

    assert read.tensor_model_parallel_size == design["tp"]
    assert read.pipeline_model_parallel_size == design["pp"]
    assert (read.context_parallel_size or 1) == design["sp"]
    assert read.micro_batch_size == design["micro_batch"]
    assert read.global_batch_size == 64 * int(str(design["dp"]))
    assert read.sequence_parallel == (design["tp"] != 1 and design["tensor_sequence"])
    granularity = None if design["recompute"] == "none" else design["recompute"]
    assert read.recompute_granularity == granularity
    assert not (read.bf16 and read.fp16)


@given(design=DESIGNS)
def test_torchtitan_reads_degrees_that_make_up_the_devices(
    design: dict[str, PointValue],
) -> None:
    launch = plan(**design)
    read = titan_reads(launch)
    split = read["parallelism"]
    data = split["data_parallel_replicate_degree"] * split["data_parallel_shard_degree"]

    assert data == design["dp"]
    assert split["tensor_parallel_degree"] == design["tp"]
    assert split["pipeline_parallel_degree"] == design["pp"]
    assert split["context_parallel_degree"] == design["sp"]
    # What a replica takes at a time, times its turns, times replicas, is the batch.
    local = read["training"]["local_batch_size"]
    assert read["training"]["global_batch_size"] % (local * data) == 0
    micro = split.get("pipeline_parallel_microbatch_size", local)
    assert micro == design["micro_batch"]


@given(design=DESIGNS)
def test_the_batches_that_deepspeed_reads_agree_as_it_demands(
    design: dict[str, PointValue],
) -> None:
    read = deepspeed_reads(plan(**design))

    assert read["train_batch_size"] == (
        read["train_micro_batch_size_per_gpu"]
        * read["gradient_accumulation_steps"]
        * int(str(design["dp"]))
    )
    assert read["zero_optimization"]["stage"] == design["weight_sharding"]


@given(design=DESIGNS)
def test_what_is_read_is_what_the_document_says(design: dict[str, PointValue]) -> None:
    launch = plan(**design)

    assert titan_reads(launch) == torchtitan(launch).arguments
    assert deepspeed_reads(launch) == deepspeed(launch).arguments
    read = vars(megatron_reads(launch))
    for name, value in megatron(launch).arguments.items():
        key = name.removeprefix("--").replace("-", "_")
        assert read[key] == (True if value is None else value)


def test_megatron_is_told_the_shape_of_the_model() -> None:
    read = megatron_reads(plan_of(LLAMA_3_70B, tp=8))

    assert (read.num_layers, read.hidden_size, read.ffn_hidden_size) == (
        80,
        8192,
        28672,
    )
    assert (read.num_attention_heads, read.num_query_groups) == (64, 8)
    assert read.group_query_attention
    assert read.swiglu
    assert read.normalization == "RMSNorm"
    assert read.position_embedding_type == "rope"
    assert read.untie_embeddings_and_output_weights
    assert read.seq_length == 8192


def test_a_model_with_biases_and_learned_positions_is_told_as_such() -> None:
    read = megatron_reads(plan())

    assert not read.swiglu
    assert not read.disable_bias_linear
    assert not read.group_query_attention
    assert not read.untie_embeddings_and_output_weights
    assert read.position_embedding_type == "learned_absolute"


@pytest.mark.parametrize(
    ("stage", "strategy"), [(0, None), (1, None), (2, "optim_grads")]
)
def test_megatron_shards_by_stage(stage: int, strategy: str | None) -> None:
    read = megatron_reads(plan(dp=8, weight_sharding=stage))

    assert read.use_distributed_optimizer == (stage > 0)
    assert read.use_megatron_fsdp == (stage > 1)
    assert read.data_parallel_sharding_strategy == strategy
    assert read.overlap_param_gather == (stage > 0)


def test_weight_sharded_is_stage_three() -> None:
    settings: dict[str, PointValue] = {"dp": 8, "weight_sharded": 1}

    sharded = megatron_reads(plan(**settings))
    assert sharded.data_parallel_sharding_strategy == "optim_grads_params"
    assert deepspeed_reads(plan(**settings))["zero_optimization"]["stage"] == 3
    fsdp = titan_reads(plan(**settings))["parallelism"]
    assert fsdp["data_parallel_shard_degree"] == 8
    assert fsdp["fsdp_reshard_after_forward"] == "always"


def test_one_queue_to_the_device_is_asked_for_but_with_fsdp() -> None:
    variable = "CUDA_DEVICE_MAX_CONNECTIONS"

    assert megatron(plan(dp=2, tp=4, weight_sharding=1)).environment[variable] == "1"
    assert variable not in megatron(plan(dp=2, tp=4, weight_sharding=3)).environment
    assert variable not in megatron(plan(dp=8)).environment


def test_the_script_asks_for_whole_nodes() -> None:
    assert "--nnodes 4 --nproc-per-node 8" in megatron(plan(dp=4, tp=8)).text
    assert "--nnodes 1 --nproc-per-node 4" in megatron(plan(tp=4)).text
    unknown = replace(plan(tp=8), node=0)
    assert '--nproc-per-node "${DEVICES_PER_NODE:?}"' in megatron(unknown).text


def test_hybrid_sharding_has_a_name_everywhere() -> None:
    # 16 replicas in groups of 4: 4 copies.
    launch = plan(dp=16, weight_sharding=3, sharding_group=4)

    assert megatron_reads(launch).num_distributed_optimizer_instances == 4
    split = titan_reads(launch)["parallelism"]
    assert split["data_parallel_shard_degree"] == 4
    assert split["data_parallel_replicate_degree"] == 4
    assert deepspeed_reads(launch)["zero_optimization"]["mics_shard_size"] == 4
    assert "MiCS_Init" in notes(deepspeed(launch))


def test_sequence_parallel_replicas_share_weights_too() -> None:
    # 8 replicas: dp 4 x sp 2, in groups of 4: FSDP over 2 of dp, and both of sp.
    launch = plan(dp=4, sp=2, weight_sharding=3, sharding_group=4)
    split = titan_reads(launch)["parallelism"]

    assert split["data_parallel_shard_degree"] == 2
    assert split["data_parallel_replicate_degree"] == 2


@pytest.mark.parametrize(
    ("method", "word"),
    [("ring", "p2p"), ("all_gather", "all_gather"), ("ulysses", "a2a")],
)
def test_megatron_splits_sequences_by_the_method(method: str, word: str) -> None:
    read = megatron_reads(plan(sp=4, sequence_method=method))

    assert (read.context_parallel_size, read.cp_comm_type) == (4, word)


def test_interleaving_and_uneven_ends_are_told() -> None:
    launch = plan(pp=4, virtual_stages=3)
    assert megatron_reads(launch).num_virtual_stages_per_pipeline_rank == 3
    split = titan_reads(launch)["parallelism"]
    assert split["pipeline_parallel_schedule"] == "Interleaved1F1B"
    assert split["pipeline_parallel_layers_per_stage"] == 4  # 48 over 12

    uneven = plan(pp=4, first_stage_layers=11, last_stage_layers=9)
    read = megatron_reads(uneven)
    assert read.decoder_first_pipeline_num_layers == 11
    assert read.decoder_last_pipeline_num_layers == 9
    parts = titan_reads(uneven)["parallelism"]["module_fqns_per_model_part"]
    assert [len(part) for part in parts] == [12, 14, 14, 11]  # embedding; norm, output
    assert parts[0][:2] == ["tok_embeddings", "layers.0"]
    assert parts[-1][-3:] == ["layers.47", "norm", "output"]


def test_parts_of_uneven_stages_are_in_the_order_of_the_model() -> None:
    # 4 layers on the first device, 6 on the second, half of them in each part.
    launch = replace(
        plan(pp=2, first_stage_layers=4, virtual_stages=2),
        model=replace(GPT, layers=10),
    )
    parts = titan_reads(launch)["parallelism"]["module_fqns_per_model_part"]

    assert stage_layers(launch) == (2, 3, 2, 3)
    assert parts[1] == ["layers.2", "layers.3", "layers.4"]
    assert parts[3] == ["layers.7", "layers.8", "layers.9", "norm", "output"]


def test_experts_and_latents_are_told_with_all_their_widths() -> None:
    deepseek = load_model("deepseek-v3")
    read = megatron_reads(plan_of(deepseek, tp=2, ep=8, dp=8))

    assert (read.num_experts, read.moe_router_topk) == (256, 8)
    assert (read.moe_ffn_hidden_size, read.ffn_hidden_size) == (2048, 18432)
    assert read.moe_shared_expert_intermediate_size == 2048
    assert read.moe_layer_freq == "([0]*3+[1]*58)"
    assert read.multi_latent_attention
    assert (read.q_lora_rank, read.kv_lora_rank) == (1536, 512)
    assert (read.qk_head_dim, read.qk_pos_emb_head_dim, read.v_head_dim) == (
        128,
        64,
        128,
    )
    assert read.moe_router_enable_expert_bias
    assert read.moe_router_score_function == "sigmoid"
    assert read.expert_model_parallel_size == 8
    assert not read.group_query_attention


def test_experts_without_more_are_told_plainly() -> None:
    read = megatron_reads(plan_of(load_model("mixtral-8x7b"), dp=8, ep=4))

    assert (read.num_experts, read.moe_router_topk) == (8, 2)
    assert read.moe_layer_freq is None
    assert read.moe_shared_expert_intermediate_size is None
    assert not read.moe_router_enable_expert_bias


def test_experts_have_a_capacity_only_where_the_model_says_one() -> None:
    mixtral = load_model("mixtral-8x7b")
    assert mixtral.experts is not None
    full = replace(mixtral, experts=replace(mixtral.experts, capacity_factor=1.25))

    assert megatron_reads(plan_of(mixtral)).moe_expert_capacity_factor is None
    assert megatron_reads(plan_of(full)).moe_expert_capacity_factor == 1.25


def test_expert_degrees_of_torchtitan_split_experts_over_tensor_too() -> None:
    split = titan_reads(plan_of(load_model("qwen3-30b-a3b"), dp=8, tp=2, ep=4))

    assert split["parallelism"]["expert_parallel_degree"] == 4
    assert split["parallelism"]["expert_tensor_parallel_degree"] == 2


@pytest.mark.parametrize(
    ("name", "flavor"),
    [
        ("llama-3-8b", ("llama3", "8B")),
        ("llama-3-405b", ("llama3", "405B")),
        ("qwen3-32b", ("qwen3", "32B")),
        ("qwen3-30b-a3b", ("qwen3", "30B-A3B")),
        ("qwen3-235b-a22b", ("qwen3", "235B-A22B")),
        ("deepseek-v3", ("deepseek_v3", "671B")),
        ("deepseek-v2", ("deepseek_v3", "236B")),
        ("mixtral-8x7b", ("llama3", "unknown")),
    ],
)
def test_torchtitan_names_models(name: str, flavor: tuple[str, str]) -> None:
    assert flavor_of(load_model(name)) == flavor


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gemma-2-9b", "--quick-geglu"),
        ("gemma-2-9b", "norms after attention"),
        ("bloom-176b", "norm after the embedding"),
        ("vit-b-16", "no vocabulary"),
        ("vit-b-16", "not causal"),
    ],
)
def test_megatron_says_what_of_a_model_it_has_not(name: str, words: str) -> None:
    assert words in notes(megatron(plan_of(load_model(name))))


@pytest.mark.parametrize("name", ["qwen2.5-7b", "qwen3-8b", "llama-3-8b", "gpt2"])
def test_megatron_has_the_norms_and_biases_of(name: str) -> None:
    model = load_model(name)
    made = megatron(plan_of(model))
    read = megatron_reads(plan_of(model))

    assert not [note for note in made.notes if "bias" in note or "norm" in note]
    assert read.qk_layernorm == (name == "qwen3-8b")
    assert read.add_qkv_bias == (name == "qwen2.5-7b")
    assert read.disable_bias_linear == (name != "gpt2")


def test_dropout_is_told_where_there_is_none() -> None:
    without = megatron_reads(plan(dropout=False))

    assert (without.attention_dropout, without.hidden_dropout) == (0.0, 0.0)
    assert megatron_reads(plan()).hidden_dropout is None  # its own 0.1
    assert "dropout" in notes(torchtitan(plan()))
    assert "dropout" not in notes(torchtitan(plan(dropout=False)))


def test_full_recomputation_of_some_layers_goes_by_blocks() -> None:
    read = megatron_reads(plan(pp=4, recompute="full", recompute_layers=6))
    assert (read.recompute_method, read.recompute_num_layers) == ("block", 6)

    whole = megatron_reads(plan(pp=4, recompute="full"))
    assert (whole.recompute_method, whole.recompute_num_layers) == ("uniform", 1)

    # 6 of 12 layers of a stage: every second one.
    some = titan_reads(plan(pp=4, recompute="full", recompute_layers=6))
    assert some["activation_checkpoint"] == {
        "mode": "selective",
        "selective_ac_option": "2",
    }


@pytest.mark.parametrize(
    ("precision", "flags"),
    [
        ("bf16", {"bf16", "grad_reduce_in_bf16"}),
        ("fp16", {"fp16"}),
        ("fp32", set()),
        ("fp8", {"bf16", "grad_reduce_in_bf16"}),
    ],
)
def test_megatron_computes_in_the_precision(precision: str, flags: set[str]) -> None:
    read = vars(megatron_reads(plan(precision=precision)))
    kinds = ("bf16", "fp16", "grad_reduce_in_bf16")

    assert {name for name in kinds if read[name]} == flags
    assert read["fp8_format"] == ("hybrid" if precision == "fp8" else None)


def test_gradients_in_fp32_are_megatrons_own_choice() -> None:
    read = megatron_reads(plan(precision="bf16", gradient_precision="fp32"))
    assert not read.grad_reduce_in_bf16

    half = megatron_reads(plan(precision="fp16", gradient_precision="fp32"))
    assert half.accumulate_allreduce_grads_in_fp32


@pytest.mark.parametrize("precision", ["bf16", "fp16", "fp32"])
def test_deepspeed_computes_in_the_precision(precision: str) -> None:
    read = deepspeed_reads(plan(precision=precision, gradient_precision="fp32"))

    assert {name for name in ("bf16", "fp16") if name in read} == {precision} - {"fp32"}
    assert read["data_types"] == {"grad_accum_dtype": "fp32"}


def test_overlap_is_told_where_there_is_a_switch() -> None:
    quiet = plan(dp=4, tp=2, weight_sharding=1, gradient_overlap=False)
    assert not megatron_reads(quiet).overlap_grad_reduce
    assert not deepspeed_reads(quiet)["zero_optimization"]["overlap_comm"]

    loud = plan(dp=4, tp=2, tensor_sequence=True, tensor_overlap=True)
    assert megatron_reads(loud).tp_comm_overlap
    assert titan_reads(loud)["compile"] == {"enable": True}
    assert titan_reads(loud)["parallelism"]["enable_async_tensor_parallel"]
    assert deepspeed_reads(loud)["tensor_parallel"]["tp_overlap_comm"]


def test_deepspeed_prefetches_as_many_layers_as_the_design() -> None:
    launch = plan(dp=8, tp=2, weight_sharding=3, prefetch=3)
    zero = deepspeed_reads(launch)["zero_optimization"]

    assert zero["stage3_prefetch_bucket_size"] == 3 * (GPT.layer_weights // 2)


def test_experts_are_split_everywhere() -> None:
    launch = plan(dp=8, ep=4)

    assert megatron_reads(launch).expert_model_parallel_size == 4
    assert titan_reads(launch)["parallelism"]["expert_parallel_degree"] == 4
    assert deepspeed_reads(launch)["expert_parallel"]["autoep_size"] == 4


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"scheduling_policy": "LIFO", "dp": 4}, "LIFO has no equivalent"),
        ({"multi_dim_optimization": "themis"}, "themis has no equivalent"),
        ({"placement": "outer_first"}, "placement outer_first has no equivalent"),
        (
            {"all_reduce_algorithm": ("direct", "halvingDoubling")},
            "all_reduce_algorithm [direct, halvingDoubling] has no name in NCCL_ALGO",
        ),
    ],
)
def test_what_no_framework_can_be_told_is_said_by_all(
    settings: dict[str, PointValue], words: str
) -> None:
    launch = plan(**settings)

    assert any(words in note for note in common_notes(launch))
    for make in (megatron, torchtitan, deepspeed):
        assert words in notes(make(launch))


def test_a_design_in_their_words_needs_no_note() -> None:
    design = plan_of(
        LLAMA_3_70B,
        dp=4,
        tp=8,
        pp=4,
        weight_sharding=1,
        tensor_sequence=True,
        gradient_precision="fp32",
    )

    assert megatron(design).notes == ()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pp": 4, "schedule": "gpipe"}, "gpipe has no equivalent"),
        ({"pp": 4, "schedule": "zb-h1"}, "zb-h1 has no equivalent"),
        ({"axis_order": "data-tensor-sequence-pipeline"}, "axis_order data-tensor"),
        ({"precision": "tf32"}, "set_float32_matmul_precision"),
        ({"recompute": "selective", "recompute_layers": 2}, "all layers recompute"),
        ({"dp": 8, "weight_sharding": 3, "prefetch": 2}, "prefetch 2"),
    ],
)
def test_megatron_says_what_it_cannot_be_told(
    settings: dict[str, PointValue], words: str
) -> None:
    assert words in notes(megatron(plan(**settings)))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dp": 4, "tp": 2, "weight_sharding": 1}, "nearest to ZeRO 2"),
        ({"tp": 2}, "tensor_sequence false has no equivalent"),
        ({"sp": 2, "sequence_method": "ulysses"}, "ulysses has no equivalent"),
        ({"precision": "fp16"}, "fp16 has no equivalent"),
        ({"recompute": "selective"}, "by operator"),
        ({"pp": 4, "schedule": "zb-h1"}, "it will run 1F1B"),
    ],
)
def test_torchtitan_says_what_it_cannot_be_told(
    settings: dict[str, PointValue], words: str
) -> None:
    assert words in notes(torchtitan(plan(**settings)))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pp": 4}, "PipelineModule(num_stages=4)"),
        ({"tp": 2, "tensor_sequence": True}, "tensor_sequence has no equivalent"),
        ({"sp": 2}, "DeepSpeed's is ulysses"),
        ({"recompute": "full"}, "around its layers"),
        ({"precision": "fp8"}, "precision fp8 has no key"),
    ],
)
def test_deepspeed_says_what_it_cannot_be_told(
    settings: dict[str, PointValue], words: str
) -> None:
    assert words in notes(deepspeed(plan(**settings)))


def test_deepspeed_refuses_a_pipeline_with_sharded_gradients() -> None:
    assert deepspeed(plan(dp=2, pp=4, weight_sharding=1)).refusals == ()
    [refusal] = deepspeed(plan(dp=2, pp=4, weight_sharding=2)).refusals
    assert "pipeline engine refuses ZeRO stage 2" in refusal
    [refusal] = deepspeed(plan(dp=4, tp=2, ep=2)).refusals
    assert "AutoEP with AutoTP" in refusal


def test_torchtitan_names_the_models_that_it_has() -> None:
    assert flavor_of(LLAMA_3_70B) == ("llama3", "70B")
    assert flavor_of(GPT) == ("llama3", "unknown")  # refused, not another model
    assert "no flavor of torchtitan's has 48 layers" in notes(torchtitan(plan()))


@pytest.mark.parametrize(
    ("algorithms", "name"),
    [
        (("ring", "ring"), "allreduce:ring"),
        (("ring", "doubleBinaryTree"), "allreduce:tree"),
        (("nvls", "doubleBinaryTree"), "allreduce:nvlstree"),
        (("nvls",), "allreduce:nvls"),
    ],
)
def test_nccl_is_held_to_the_algorithms_that_it_has(
    algorithms: tuple[str, ...], name: str
) -> None:
    launch = plan(all_reduce_algorithm=algorithms)

    assert collective_environment(launch)["NCCL_ALGO"].split(";")[0] == name


def test_only_all_reduces_go_by_trees() -> None:
    launch = plan(all_gather_algorithm=("ring", "doubleBinaryTree"))

    assert "allgather" not in collective_environment(launch)["NCCL_ALGO"]
    assert any("all_gather_algorithm" in note for note in common_notes(launch))
