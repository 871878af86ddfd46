"""What a source's words mean, by rules that hold of any source.

Each rule takes what was said and the framework, and gives a `Said`: a value, and, where
nothing was said, the assumption that stands in for it. No rule knows a source or a run.
"""

import re
from dataclasses import dataclass
from typing import Generic, TypeVar

from cosmic.validation.machines import NotEvaluatedError
from cosmic.validation.training.frameworks import Framework
from cosmic.validation.training.row import Shape, Split, TrainingRow
from cosmic.workload.layer_parts import LatentAttention

T = TypeVar("T")

_GPT_VOCABULARY = 51_200
_HEAD_WIDTH = 128
_NONE = r"^\s*(none|no\b|off|false)|num-layers 0"
_LATENT = {
    "query_rank": "q_lora",
    "key_value_rank": "kv_lora",
    "rope_dim": "qk_rope",
    "nope_dim": "qk_nope",
    "value_dim": "v",
}
_FP4 = re.compile(r"fp4", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said(Generic[T]):
    """A value with what had to be assumed for it.

    Attributes:
        value: What holds.
        assumed: A few words, empty if the source says it.
    """

    value: T
    assumed: str = ""


@dataclass(frozen=True, slots=True)
class Sharding:
    """What data-parallel devices share out.

    Attributes:
        level: As `weight_sharding`.
        group: Devices that share one copy; 0 for all.
    """

    level: int
    group: int = 0


def sharding(split: Split, framework: Framework, node: int) -> Said[Sharding]:
    """What is sharded: ZeRO's stages by number, FSDP as stage 3.

    A distributed optimizer is stage 1, FSDP's SHARD_GRAD_OP stage 2. HSDP shards within
    a node, which is PyTorch's HYBRID_SHARD. A number after FSDP is that of its group.
    """
    words = split.sharding
    if words:
        return Said(_sharding(words, node))
    if split.distributed_optimizer is not None:
        return Said(Sharding(int(split.distributed_optimizer)))
    level = framework.sharding
    return Said(Sharding(level), f"sharding {level} ({framework.name})")


def _sharding(words: str, node: int) -> Sharding:
    if zero := re.search(r"ZeRO-?\s*(\d)", words, re.I):
        within = re.search(r"within node \((\d+)\)", words, re.I)
        return Sharding(int(zero[1]), int(within[1]) if within else 0)
    if re.search(r"distributed optimizer", words, re.I):
        return Sharding(1)
    if re.search(r"SHARD_GRAD_OP", words):
        return Sharding(2)
    if re.search(r"HSDP|HYBRID", words):
        return Sharding(3, node)
    if re.search(r"FSDP", words, re.I):
        group = re.search(r"FSDP\s*=?\s+?(\d+)\b|FSDP=(\d+)\b", words)
        return Sharding(3, int(next(filter(None, group.groups()))) if group else 0)
    raise NotEvaluatedError(f"no rule reads the sharding {words!r}")


def recompute(row: TrainingRow, framework: Framework) -> Said[str]:
    """What the backward pass computes again: none, selective, half or full.

    Half is the selective checkpointing of torchtitan and fms-fsdp: every second product
    (or layer) is kept, so that half of the work is done again. Where the source counts
    FLOP/s with a full recomputation, there was one.
    """
    words = row.split.recompute
    if re.search(_NONE, words, re.I):
        return Said("none")
    if re.search(r"\bfull\b", words, re.I):
        assumed = "full recompute" if "assumed" in words else ""
        return Said("full", assumed)
    if re.search(r"\bSAC\b|selective AC|toml", words, re.I):
        return Said("half", "full recompute of every second layer for selective AC")
    if re.search(r"selective", words, re.I):
        return Said("selective")
    if words:
        raise NotEvaluatedError(f"no rule reads the recomputation {words!r}")
    if row.counts_recompute:
        return Said("full", "full recompute (its FLOP/s count it)")
    return Said(framework.recompute, f"recompute {framework.recompute}")


def precision(words: str) -> Said[str]:
    """The number format of products: bf16, fp16, fp8 or fp32.

    Raises:
        NotEvaluatedError: It is 4 bits wide, which is not modelled, or not said.
    """
    if _FP4.search(words):
        raise NotEvaluatedError("its products are 4 bits wide, which is not modelled")
    if re.search(r"not determined|alternative|unknown", words):
        raise NotEvaluatedError("it does not say its precision")
    if re.search(r"fp8|float8", words, re.I):
        return Said("fp8")
    if re.search(r"fp16/bf16|bf16/fp16", words, re.I):
        return Said("bf16", "bf16 of fp16 or bf16")
    for name in ("bf16", "fp16", "tf32", "fp32"):
        if name in words.lower():
            return Said(name)
    return Said("bf16", "precision bf16")


def wide_gradients(row: TrainingRow, framework: Framework, kind: str) -> bool:
    """Whether gradients are summed up and sent in fp32.

    Composer's DEFAULT mixed precision reduces in fp32, PURE in 16 bits; fp16 gradients
    stay in fp16, since their scale is what loss scaling is for.
    """
    if "mixed precision DEFAULT" in row.split.sharding:
        return True
    if "mixed precision PURE" in row.split.sharding:
        return False
    return framework.wide_gradients and kind != "fp16"


def tensor_sequence(split: Split, framework: Framework) -> Said[bool]:
    """Whether tensor-parallel devices also share the tokens."""
    if split.tensor_sequence is not None:
        return Said(split.tensor_sequence and (split.tensor or 1) > 1)
    if (split.tensor or 1) == 1:
        return Said(False)
    value = framework.tensor_sequence
    return Said(value, f"sequence parallelism {'on' if value else 'off'}")


def tensor_overlap(split: Split, framework: Framework, shared: bool) -> bool:
    """Whether tensor-parallel collectives overlap with products.

    It takes shared tokens; words such as TP_COMM_OVERLAP=False say that it is off.
    """
    if not shared:
        return False
    if said := re.search(r"TP_COMM_OVERLAP=(\w+)", split.overlap, re.I):
        return said[1].lower() in ("true", "1")
    if re.search(r"\bTP\b.*off", split.overlap):
        return False
    return framework.tensor_overlap


def gradient_overlap(split: Split, framework: Framework) -> bool:
    """Whether gradients travel during the backward pass.

    PyTorch's own data parallelism (`torch`) does so, Megatron's of old (`local`) not.
    """
    if split.data_parallel:
        return split.data_parallel == "torch"
    if said := re.search(r"OVERLAP_GRAD_REDUCE=(\w+)", split.overlap):
        return said[1].lower() in ("true", "1")
    return framework.gradient_overlap


def latent_attention(words: str) -> LatentAttention | None:
    """Attention through narrow vectors, by its widths; None where it is plain.

    Raises:
        NotEvaluatedError: It is of another kind, or does not say its widths.
    """
    if not words:
        return None
    found = {
        name: re.search(rf"\b{word}\s?(\d+)", words) for name, word in _LATENT.items()
    }
    widths = {name: int(one[1]) for name, one in found.items() if one}
    if not words.startswith("MLA") or len(widths) < len(_LATENT):
        raise NotEvaluatedError(f"no rule reads the attention {words!r}")
    return LatentAttention(**widths)


def heads(shape: Shape, tensor: int) -> Said[int]:
    """Attention heads; where nobody says, such that each is about 128 wide.

    The width of most models since GPT-3; heads must divide the hidden width and be
    divisible among the tensor-parallel devices.
    """
    hidden = shape.hidden or 1
    if shape.heads is not None:
        return Said(shape.heads)
    possible = [n for n in range(tensor, hidden + 1, tensor) if hidden % n == 0]
    if not possible:
        raise NotEvaluatedError("it does not say its heads")
    value = min(possible, key=lambda n: abs(hidden / n - _HEAD_WIDTH))
    return Said(value, f"{value} heads")


def vocabulary(shape: Shape) -> Said[int]:
    """Entries of the embedding; those of GPT-2, padded, where nobody says."""
    if shape.vocabulary is not None:
        return Said(shape.vocabulary)
    return Said(_GPT_VOCABULARY, f"vocabulary {_GPT_VOCABULARY:,}")


def degree(value: int | None, name: str) -> Said[int]:
    """A degree of parallelism; 1 where nobody says."""
    return Said(value) if value is not None else Said(1, f"{name} 1")


def micro_batch(split: Split, share: int) -> Said[int]:
    """Sequences of a micro-batch; it divides the share of a replica.

    Software that takes a smaller last micro-batch is given equal ones, as many.

    Raises:
        NotEvaluatedError: Neither it nor the number of micro-batches is said.
    """
    if split.micro_batch is None:
        if split.accumulation and share % split.accumulation == 0:
            return Said(share // split.accumulation)
        if share == 1:
            return Said(1)
        raise NotEvaluatedError("it does not say its micro-batch")
    if share % split.micro_batch == 0:
        return Said(split.micro_batch)
    equal = max(n for n in range(1, split.micro_batch + 1) if share % n == 0)
    return Said(
        equal, f"micro-batches of {equal}: {split.micro_batch} do not divide {share}"
    )
