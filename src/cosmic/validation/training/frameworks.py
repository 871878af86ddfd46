"""What training software does where a source does not say otherwise.

Each default is what the software's own documentation or paper says of it at that time;
none was chosen by how well runs are then predicted.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """A training software with its defaults.

    Attributes:
        name: For people.
        pattern: What a source's words on software and date look like.
        sharding: What data-parallel devices share out, as `weight_sharding`.
        recompute: none, selective or full.
        fused_attention: Whether attention keeps its scores on chip.
        attention: By which kernels, as calibrations name them; the usual ones of the
            device, if empty.
        logit_bytes: Bytes for each output over the vocabulary, as `logit_bytes` has it.
        gradient_overlap: Whether gradients travel during the backward pass.
        tensor_sequence: Whether tensor-parallel devices also share the tokens.
        tensor_overlap: Whether tensor-parallel collectives overlap with products.
        wide_gradients: Whether gradients of bf16 weights are summed up in fp32.
        reference: Where that is said.
    """

    name: str
    pattern: str
    sharding: int
    recompute: str
    fused_attention: bool
    attention: str
    logit_bytes: int
    gradient_overlap: bool
    tensor_sequence: bool
    tensor_overlap: bool
    wide_gradients: bool
    reference: str


FRAMEWORKS = (
    Framework(
        name="Megatron-DeepSpeed",
        pattern=r"Megatron-DeepSpeed",
        sharding=0,
        recompute="none",
        fused_attention=False,
        attention="",
        logit_bytes=8,
        gradient_overlap=False,
        tensor_sequence=False,
        tensor_overlap=False,
        wide_gradients=True,
        reference="github.com/bigscience-workshop/Megatron-DeepSpeed: its own fused "
        "softmax, ZeRO and checkpointing on request, gradients reduced by DeepSpeed's "
        "pipeline engine after the last micro-batch, bf16 optimizer with fp32 sums",
    ),
    Framework(
        name="DeepSpeed",
        pattern=r"DeepSpeed",
        sharding=0,
        recompute="none",
        fused_attention=False,
        attention="",
        logit_bytes=4,
        gradient_overlap=True,
        tensor_sequence=False,
        tensor_overlap=False,
        wide_gradients=False,
        reference="DeepSpeed documentation, zero_optimization: stage 0; overlap_comm "
        "is on for stage 3",
    ),
    Framework(
        name="Megatron-LM until 2022",
        pattern=r"Megatron-LM.*\b20(19|20|21|22)\b",
        sharding=0,
        recompute="full",
        fused_attention=False,
        attention="",
        logit_bytes=8,
        gradient_overlap=False,
        tensor_sequence=False,
        tensor_overlap=False,
        wide_gradients=True,
        reference="M. Shoeybi et al., 2019, and D. Narayanan et al., 2021: activations "
        "of every layer are checkpointed, gradients all-reduced after the last "
        "micro-batch; attention by a fused scale, mask and softmax",
    ),
    Framework(
        name="NeMo",
        pattern=r"NeMo|NVIDIA.*Release|NGC",
        sharding=1,
        recompute="none",
        fused_attention=True,
        attention="",
        logit_bytes=8,
        gradient_overlap=True,
        tensor_sequence=True,
        tensor_overlap=True,
        wide_gradients=False,
        reference="NeMo Framework performance guide: distributed optimizer, cuDNN or "
        "flash attention, gradient and weight communication overlapped, with tensor "
        "parallelism also sequence parallelism and its overlap; gradients in bf16",
    ),
    Framework(
        name="Megatron-LM",
        pattern=r"Megatron",
        sharding=0,
        recompute="none",
        fused_attention=True,
        attention="",
        logit_bytes=8,
        gradient_overlap=False,
        tensor_sequence=False,
        tensor_overlap=False,
        wide_gradients=True,
        reference="Megatron-LM, arguments: --use-distributed-optimizer, "
        "--overlap-grad-reduce, --sequence-parallel and --tp-comm-overlap are off "
        "unless asked for; with --bf16, gradients are summed up in fp32",
    ),
    Framework(
        name="llm-foundry",
        pattern=r"llm-foundry|composer",
        sharding=3,
        recompute="none",
        fused_attention=True,
        attention="flash-1",
        logit_bytes=4,
        gradient_overlap=True,
        tensor_sequence=False,
        tensor_overlap=False,
        wide_gradients=False,
        reference="github.com/mosaicml/llm-foundry, yamls/pretrain of v0.0.4: "
        "attn_impl triton, which is FlashAttention of 2022, and FSDP",
    ),
    Framework(
        name="InternEvo",
        pattern=r"InternEvo",
        sharding=1,
        recompute="none",
        fused_attention=True,
        attention="flash-2",
        logit_bytes=4,
        gradient_overlap=True,
        tensor_sequence=False,
        tensor_overlap=False,
        wide_gradients=False,
        reference="github.com/InternLM/InternEvo, configs/7B_sft.py: use_flash_attn, "
        "zero1, overlap_sync_grad and overlap_sync_param",
    ),
    Framework(
        name="PyTorch FSDP",
        pattern=r"torchtitan|FSDP",
        sharding=3,
        recompute="none",
        fused_attention=True,
        attention="flash-2",
        logit_bytes=14,
        gradient_overlap=True,
        tensor_sequence=True,
        tensor_overlap=False,
        wide_gradients=True,
        reference="github.com/pytorch/torchtitan: FSDP2 with mp_policy of bf16 weights "
        "and fp32 reduction, scaled_dot_product_attention, tensor parallelism with "
        "sequence parallelism",
    ),
    Framework(
        name="nanotron",
        pattern=r"nanotron",
        sharding=0,
        recompute="none",
        fused_attention=True,
        attention="flash-2",
        logit_bytes=4,
        gradient_overlap=True,
        tensor_sequence=False,
        tensor_overlap=False,
        wide_gradients=True,
        reference="github.com/huggingface/nanotron: flash attention, fp32 sums of "
        "gradients (accumulate_grad_in_fp32)",
    ),
    Framework(
        name="JAX (MaxText, PAX)",
        pattern=r"MaxText|PAX|JAX",
        sharding=3,
        recompute="none",
        fused_attention=True,
        attention="",
        logit_bytes=4,
        gradient_overlap=True,
        tensor_sequence=False,
        tensor_overlap=False,
        wide_gradients=False,
        reference="github.com/AI-Hypercomputer/maxtext: sharded by fsdp unless said, "
        "XLA's latency-hiding scheduler, flash attention",
    ),
)

UNKNOWN = Framework(
    name="unknown software",
    pattern="",
    sharding=0,
    recompute="none",
    fused_attention=True,
    attention="flash-2",
    logit_bytes=4,
    gradient_overlap=True,
    tensor_sequence=False,
    tensor_overlap=False,
    wide_gradients=False,
    reference="nothing; what most software does",
)


def framework_of(software: str, date: str) -> Framework:
    """The framework that a source's words mean.

    >>> framework_of("Megatron-LM", "2021-04").name
    'Megatron-LM until 2022'
    >>> framework_of("Megatron-LM core 0.14", "2026-04").name
    'Megatron-LM'
    """
    said = f"{software} {date}"
    found = (f for f in FRAMEWORKS if re.search(f.pattern, said, re.IGNORECASE))
    return next(found, UNKNOWN)
