"""What one training step or one inference computes, and how it is split."""

from dataclasses import dataclass, field, replace

from cosmic.errors import ConsistencyError, SpecError
from cosmic.trace.execution_graph import Schedule
from cosmic.trace.precision import Precision
from cosmic.workload.inference import Inference, Task
from cosmic.workload.layer_parts import LayerKind
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism, Recompute, SequenceMethod
from cosmic.workload.stage_layers import check_stages, layer_ranges

_ADDS_UP = (Precision.FP32, Precision.BF16)  # formats of gradients


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One training step of a model, or an inference; one that exists can be lowered.

    Of a whole request, what is said of tokens holds for its prefill.

    Attributes:
        model: What is trained or asked.
        batch: Sequences in a step, over all devices.
        micro_batch: Sequences that one replica takes through the model at a time.
        parallelism: How the work is split.
        recompute: What is computed again in the backward pass.
        recompute_layers: In how many layers of each virtual stage, the first ones; 0 is
            all.
        fused_attention: Whether the attention core keeps its scores on chip.
        schedule: Order of micro-batches in the pipeline.
        stage_layers: Layers of each virtual stage, in the order of the model; empty
            where all have as many.
        precision: In which format products are computed. Weights, gradients and
            activations are held in it, but in two bytes for FP8.
        gradient_precision: In which format gradients are added up and exchanged; None
            for that of the weights.
        dropout: Whether there is dropout, whose masks the backward pass needs.
        logit_bytes: Bytes that each output over the vocabulary takes up while the loss
            and its gradient are computed, all copies together.
        inference: What is asked; None for a training step.
    """

    model: TransformerModel
    batch: int
    micro_batch: int = 1
    parallelism: Parallelism = field(default_factory=Parallelism)
    recompute: Recompute = Recompute.NONE
    recompute_layers: int = 0
    fused_attention: bool = True
    schedule: Schedule = Schedule.ONE_F_ONE_B
    stage_layers: tuple[int, ...] = ()
    precision: Precision = Precision.BF16
    gradient_precision: Precision | None = None
    dropout: bool = True
    logit_bytes: int = 4
    inference: Inference | None = None

    def __post_init__(self) -> None:
        if self.batch < 1 or self.micro_batch < 1:
            raise SpecError(
                f"batch and micro_batch must be at least 1, not {self.batch} and "
                f"{self.micro_batch}"
            )
        check_gradients(self.precision, self.gradient_precision)
        if self.logit_bytes < 0:
            raise SpecError(f"logit_bytes must not be negative, not {self.logit_bytes}")
        if self.inference is not None:
            self.inference.check(self.model, self.parallelism, self.recompute)
        if self.parallelism.expert > 1 and self.model.experts is None:
            raise ConsistencyError(
                f"ep = {self.parallelism.expert}, but the model has no experts to share"
            )
        for value, divisor, what in self._divisions():
            if value % divisor:
                raise ConsistencyError(f"{what}: {divisor} does not divide {value}")
        check_stages(
            self.model,
            self.parallelism,
            self.schedule,
            self.micro_batches,
            self.stage_layers,
        )
        self._check_recompute_layers()

    def _check_recompute_layers(self) -> None:
        count = self.recompute_layers
        if count < 0:
            raise SpecError(f"recompute_layers must not be negative, but is {count}")
        if count and self.recompute is Recompute.NONE:
            raise ConsistencyError(
                f"recompute_layers = {count}, but recompute is none: nothing is "
                "computed again"
            )
        most = max(map(len, self.layer_ranges))
        if count > most:
            raise ConsistencyError(
                f"recompute_layers = {count}, but a stage has no more than {most} "
                "layers"
            )

    def _divisions(self) -> list[tuple[int, int, str]]:
        model, split = self.model, self.parallelism
        shared_heads = self._devices_that_share_heads
        keys, tensor = model.key_value_heads, split.tensor
        tokens = split.sequence * (split.tensor if split.tensor_sequence else 1)
        return [
            (model.heads, shared_heads, "heads over tensor (x sequence, for ulysses)"),
            (max(keys, tensor), min(keys, tensor), "key_value_heads over tensor"),
            (
                max(keys, shared_heads),
                min(keys, shared_heads),
                "key_value_heads over tensor x sequence, for ulysses",
            ),
            *self._feed_forwards(),
            (self.queries, tokens, "tokens of a sequence over sequence"),
            (
                self.batch,
                split.data * self.micro_batch,
                "batch over data x micro_batch",
            ),
        ]

    def _feed_forwards(self) -> list[tuple[int, int, str]]:
        """What the parts behind attention must be divided by."""
        mixture, split = self.model.experts, self.parallelism
        found = [(self.model.feed_forward, split.tensor, "feed_forward over tensor")]
        if mixture is None:
            return found
        return [
            *(found if mixture.dense_layers else []),
            (mixture.feed_forward, split.tensor, "feed_forward of experts over tensor"),
            (
                mixture.shared_feed_forward,
                split.tensor,
                "shared_feed_forward over tensor",
            ),
            (mixture.experts, split.expert, "experts over ep"),
        ]

    @property
    def held_precision(self) -> Precision:
        """The format of weights, activations and of all that is not a product in FP8.

        The attention core and what is no product stay in two bytes beside products in
        FP8.

        Reference:
            P. Micikevicius et al., "FP8 formats for deep learning", 2022, section 3.
        """
        return Precision.BF16 if self.precision is Precision.FP8 else self.precision

    @property
    def element_bytes(self) -> int:
        """Bytes of a weight or of an activation."""
        return self.held_precision.nbytes

    @property
    def product_bytes(self) -> int:
        """Bytes of a number that a product of a layer takes in."""
        return self.precision.nbytes

    @property
    def gradient_bytes(self) -> int:
        """Bytes of a weight's gradient, as it is added up and exchanged."""
        return (self.gradient_precision or self.held_precision).nbytes

    @property
    def has_master_weights(self) -> bool:
        """Whether the optimizer keeps weights of its own, in single precision."""
        return self.element_bytes < 4

    @property
    def optimizer_bytes(self) -> int:
        """Bytes of optimizer state for each weight.

        Two moments of Adam in single precision, and a master copy of the weight where
        it is held in less.
        """
        return 12 if self.has_master_weights else 8

    @property
    def micro_batches(self) -> int:
        """Micro-batches of one replica in a step."""
        return self.batch // (self.parallelism.data * self.micro_batch)

    @property
    def layer_ranges(self) -> tuple[range, ...]:
        """Which layers of the model each virtual stage holds, in its order."""
        return layer_ranges(self.model.layers, self.parallelism, self.stage_layers)

    def layers_of(self, stage: int) -> tuple[int, ...]:
        """Layers of each part of the model that a pipeline stage holds."""
        parts = self.layer_ranges[stage :: self.parallelism.pipeline]
        return tuple(map(len, parts))

    def kinds_of(self, stage: int) -> tuple[tuple[tuple[LayerKind, int], ...], ...]:
        """Layers of each kind, in order, of each part that a pipeline stage holds."""
        parts = self.layer_ranges[stage :: self.parallelism.pipeline]
        return tuple(map(self.model.kinds_within, parts))

    def recomputed_layers(self, layers: int) -> int:
        """In how many of a virtual stage's layers something is computed again."""
        if self.recompute is Recompute.NONE:
            return 0
        return min(layers, self.recompute_layers or layers)

    @property
    def without_recompute(self) -> "Workload":
        """The same, but that everything is kept."""
        return replace(self, recompute=Recompute.NONE, recompute_layers=0)

    @property
    def task(self) -> Task:
        """What is done."""
        return Task.TRAIN if self.inference is None else self.inference.task

    @property
    def queries(self) -> int:
        """Tokens of each sequence that a pass takes through the model."""
        if self.inference is None:
            return self.model.sequence
        return self.inference.queries

    @property
    def keys(self) -> int:
        """Tokens of each sequence that they attend to, themselves included."""
        if self.inference is None:
            return self.model.sequence
        return self.inference.prompt

    @property
    def tokens(self) -> int:
        """Tokens of one micro-batch on one device."""
        return self.micro_batch * self.queries // self.parallelism.sequence

    @property
    def answered(self) -> int:
        """Tokens of one micro-batch whose outputs over the vocabulary are needed.

        All of them in training, the last of each sequence in inference.
        """
        return self.tokens if self.inference is None else self.micro_batch

    @property
    def weight_bytes(self) -> float:
        """Bytes of a weight as it is stored."""
        if self.inference is None:
            return self.element_bytes
        return self.inference.weight_bits / 8

    @property
    def multiplied_bytes(self) -> float:
        """Bytes of a weight as a product reads it: in training, cast once a step."""
        if self.inference is None:
            return self.product_bytes
        return self.weight_bytes

    @property
    def cache_bytes(self) -> float:
        """Bytes of an element of keys and values as attention reads them."""
        if self.inference is None:
            return self.element_bytes
        return self.inference.cache_bits / 8

    @property
    def key_value_heads(self) -> int:
        """Key-value heads on one device; shared ones are copied where they must be."""
        return max(1, self.model.key_value_heads // self.parallelism.tensor)

    @property
    def attended_key_value_heads(self) -> int:
        """Key-value heads whose whole sequence one device's attention core sees."""
        if self.attends_to_latents:
            return 1
        return max(1, self.model.key_value_heads // self._devices_that_share_heads)

    @property
    def attends_to_latents(self) -> bool:
        """Whether attention reads the narrow vectors of latent attention as they are.

        A decode step does, all heads the same ones; otherwise keys and values of each
        head are made out of them.
        """
        return self.model.latent is not None and self.task is Task.DECODE

    @property
    def attended_dims(self) -> tuple[int, int]:
        """Width of the keys and of the values that one head attends to."""
        latent = self.model.latent
        if latent is None or not self.attends_to_latents:
            return self.model.head_dim, self.model.value_dim
        return latent.key_value_rank + latent.rope_dim, latent.key_value_rank

    @property
    def _devices_that_share_heads(self) -> int:
        split = self.parallelism
        if split.sequence_method is SequenceMethod.ULYSSES:
            return split.tensor * split.sequence
        return split.tensor

    @property
    def model_flops(self) -> float:
        """Floating-point operations that the step or pass needs, without recompute."""
        if self.inference is not None:
            return self._forward_flops
        tokens = self.batch * self.model.sequence
        return tokens * self.model.flops_per_token()

    @property
    def _forward_flops(self) -> float:
        """Those of a pass: a third of training, the head for its last tokens only."""
        seen = replace(self.model, sequence=self.keys)
        everywhere = self.queries * seen.flops_per_token() / 3
        spared = 2.0 * self.model.head_weights * (self.queries - 1)
        return self.batch * (everywhere - spared)


def check_gradients(precision: Precision, gradients: Precision | None) -> None:
    """See that gradients are added up in a format that fits the weights.

    Raises:
        SpecError: Nobody adds up gradients in this format.
        ConsistencyError: The exponents of the two formats differ.
    """
    if gradients is not None and gradients not in _ADDS_UP:
        raise SpecError(
            f"gradient_precision must be bf16 or fp32, not {gradients.value}"
        )
    if precision is Precision.FP16 and gradients is Precision.BF16:
        raise ConsistencyError(
            "gradient_precision bf16 does not fit precision fp16: their exponents "
            "differ; choose auto or fp32"
        )
