"""Memory that a paper computes, beside ours: bytes by bytes, nothing measured.

The table holds figures 1 and 7 of Korthikanti et al., as Calculon's own validation has
them: activations, and weights with gradients and optimizer state at 18 bytes each, of a
device of the first pipeline stage, without embeddings.

Reference:
    V. Korthikanti et al., "Reducing activation recomputation in large transformer
    models", 2022, figures 1 and 7.
"""

from dataclasses import dataclass, replace

from cosmic.design.parameter import PointValue
from cosmic.errors import SpecError, UnknownNameError
from cosmic.evaluation.configuration import build_workload
from cosmic.units import GiB
from cosmic.validation.fields import Row, count, mapping, scaled, text
from cosmic.workload.memory import MemoryFootprint, stage_footprint
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Recompute
from cosmic.workload.workload import Workload

_FIGURES = (
    ("weights_grads_optimizer_gib", GiB),
    ("activations_gib", GiB),
    ("activation_memory_pct_of_no_recompute_no_sp", 1e-2),
)
_RECOMPUTE = {"none": "none", "attn_only": "selective", "full": "full"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A paper's figure with ours.

    Attributes:
        id: Of the row.
        source: Short name of the figure.
        url: Where it is published.
        part: Of the memory.
        unit: `B`, or empty for a fraction of another design's.
        published: The paper's.
        predicted: Ours.
    """

    id: str
    source: str
    url: str
    part: str
    unit: str
    published: float
    predicted: float

    @property
    def error(self) -> float:
        """Predicted over published, less one."""
        return self.predicted / self.published - 1


def parse_references(row: Row) -> tuple[Reference, ...]:
    """The figures of one row.

    Raises:
        SpecError: Something is missing or of another kind than it should be.
    """
    value = mapping(row, "value")
    published = [scaled(value, key, unit) for key, unit in _FIGURES]
    workload = _workload(row)
    footprint, most = _footprint(workload), _footprint(_keeping_all(workload))
    states = footprint.weights + footprint.gradients + footprint.optimizer
    predicted = (
        ("weights, gradients, optimizer", "B", states),
        ("activations", "B", footprint.activations),
        ("activations over all", "", footprint.activations / most.activations),
    )
    return tuple(
        Reference(
            id=text(row, "id"),
            source=text(row, "source"),
            url=text(row, "url", default=""),
            part=part,
            unit=unit,
            published=theirs,
            predicted=ours,
        )
        for theirs, (part, unit, ours) in zip(published, predicted, strict=True)
        if theirs is not None
    )


def _footprint(workload: Workload) -> MemoryFootprint:
    return stage_footprint(workload, 0)


def _keeping_all(workload: Workload) -> Workload:
    """The same without recomputation and without sequence parallelism."""
    split = replace(workload.parallelism, tensor_sequence=False)
    return replace(workload, recompute=Recompute.NONE, parallelism=split)


def _workload(row: Row) -> Workload:
    model, split = mapping(row, "model"), mapping(row, "execution")

    def needed(of: Row, key: str) -> int:
        value = count(of, key)
        if value is None:
            raise SpecError(f"{key} must be a whole number from 1 on, got nothing")
        return value

    heads, hidden = needed(model, "heads"), needed(model, "hidden")
    mode = text(split, "activation_recompute")
    if mode not in _RECOMPUTE:
        raise UnknownNameError("recomputation", mode, _RECOMPUTE)
    shape = TransformerModel(
        layers=needed(model, "layers"),
        hidden=hidden,
        heads=heads,
        key_value_heads=heads,
        head_dim=hidden // heads,
        feed_forward=needed(model, "ffn"),
        sequence=needed(model, "seq"),
    )
    settings: dict[str, PointValue] = {
        "npus_count": needed(split, "num_procs"),
        "tp": needed(split, "tensor_par"),
        "pp": needed(split, "pipeline_par"),
        "dp": needed(split, "data_par"),
        "micro_batch": needed(split, "microbatch_size"),
        "recompute": _RECOMPUTE[mode],
        "gradient_precision": "fp32",
        "virtual_stages": count(split, "pipeline_interleaving") or 1,
        "fused_attention": False,
        "tensor_sequence": text(split, "tensor_par_comm_type") == "rs_ag",
    }
    return build_workload(shape, needed(split, "batch_size"), settings)
