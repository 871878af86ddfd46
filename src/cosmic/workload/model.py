"""A neural network's shape."""

import enum
from collections import Counter
from dataclasses import dataclass, field, fields

from typing_extensions import override

from cosmic.errors import SpecError
from cosmic.workload.layer_parts import (
    GATED,
    AttentionBiases,
    LatentAttention,
    LayerKind,
    MixtureOfExperts,
    NormsAndBiases,
    Patches,
)

_LATE = {"late": True}  # shown only where it is said, so that older digests hold


class FeedForward(enum.Enum):
    """The kind of a layer's feed-forward part.

    GELU: two matrices with a GELU between them. SWIGLU: three, of which one gates
    through a SiLU. GEGLU: three, of which one gates through a GELU.
    """

    GELU = "gelu"
    SWIGLU = "swiglu"
    GEGLU = "geglu"

    @property
    def gated(self) -> bool:
        """Whether there is a third matrix."""
        return self is not FeedForward.GELU


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TransformerModel:
    """A transformer, decoder or encoder.

    Attributes:
        layers: How many.
        hidden: Width of the residual stream.
        heads: Attention heads.
        key_value_heads: Heads of keys and values; fewer than `heads` is grouped-query
            attention, one is multi-query attention.
        head_dim: Width of one head's queries and keys.
        feed_forward: Width of the feed-forward part.
        feed_forward_kind: Its kind.
        sequence: Tokens in a sequence.
        vocabulary: Entries of the embedding; 0 for a model without one.
        tied_embeddings: Whether the output uses the input's embedding.
        learned_positions: Whether positions have weights, one row each.
        positions: Rows of learned positions; 0 for one a token of the sequence.
        causal: Whether a token attends to itself and those before it only.
        vectors: Norms and biases; None for those that most models with this kind of
            feed-forward part have: layer norms and all biases with GELU, root mean
            squares and no biases where it is gated.
        experts: The mixture of experts of layers that have one.
        latent: Multi-latent attention, in the place of the plain one.
        patches: The ends of a vision transformer, in the place of a vocabulary.
    """

    layers: int
    hidden: int
    heads: int
    key_value_heads: int
    head_dim: int
    feed_forward: int
    feed_forward_kind: FeedForward = FeedForward.GELU
    sequence: int
    vocabulary: int = 0
    tied_embeddings: bool = True
    learned_positions: bool = True
    positions: int = field(default=0, metadata=_LATE)
    causal: bool = field(default=True, metadata=_LATE)
    vectors: NormsAndBiases | None = field(default=None, metadata=_LATE)
    experts: MixtureOfExperts | None = field(default=None, metadata=_LATE)
    latent: LatentAttention | None = field(default=None, metadata=_LATE)
    patches: Patches | None = field(default=None, metadata=_LATE)

    def __post_init__(self) -> None:
        for name in ("layers", "hidden", "heads", "key_value_heads", "head_dim"):
            self._positive(name)
        self._positive("feed_forward")
        self._positive("sequence")
        for name in ("vocabulary", "positions"):
            if getattr(self, name) < 0:
                raise SpecError(
                    f"{name} must not be negative, but is {getattr(self, name)}"
                )
        if self.heads % self.key_value_heads:
            raise SpecError(
                f"heads = {self.heads} must be a multiple of "
                f"key_value_heads = {self.key_value_heads}"
            )
        _check_ends(self)
        if self.latent is not None:
            _check_latent(self, self.latent)

    def _positive(self, name: str) -> None:
        value = getattr(self, name)
        if value < 1:
            raise SpecError(f"{name} must be at least 1, not {value}")

    @override
    def __repr__(self) -> str:
        said = [
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if "late" not in f.metadata or getattr(self, f.name) != f.default
        ]
        return f"TransformerModel({', '.join(said)})"

    @property
    def norms_and_biases(self) -> NormsAndBiases:
        """Those that are said, or else go with the feed-forward part's kind."""
        if self.vectors is not None:
            return self.vectors
        return GATED if self.feed_forward_kind.gated else NormsAndBiases()

    @property
    def value_dim(self) -> int:
        """Width of one head's values."""
        return self.head_dim if self.latent is None else self.latent.value_dim

    @property
    def query_width(self) -> int:
        """Width of all query heads together."""
        return self.heads * self.head_dim

    @property
    def context_width(self) -> int:
        """Width of what all heads together give."""
        return self.heads * self.value_dim

    @property
    def key_value_width(self) -> int:
        """Width of all key heads together, which is that of all value heads."""
        return self.key_value_heads * self.head_dim

    @property
    def feed_forward_matrices(self) -> int:
        """Matrices into the feed-forward width: one, or two where one gates."""
        return 2 if self.feed_forward_kind.gated else 1

    @property
    def layer_kinds(self) -> tuple[LayerKind, ...]:
        """The kind of every layer, in order."""
        dense = self.layers if self.experts is None else self.experts.dense_layers
        kinds = (LayerKind.DENSE,) * dense + (LayerKind.EXPERTS,) * self.layers
        return kinds[: self.layers]

    def kinds_within(self, layers: range) -> tuple[tuple[LayerKind, int], ...]:
        """How many of some layers in a row are of each kind, in order."""
        dense = self.layers if self.experts is None else self.experts.dense_layers
        before = min(max(dense - layers.start, 0), len(layers))
        counts = (LayerKind.DENSE, before), (LayerKind.EXPERTS, len(layers) - before)
        return tuple((kind, count) for kind, count in counts if count)

    @property
    def expert_layers(self) -> int:
        """Layers with a mixture of experts."""
        return self.layers - (
            self.layers if self.experts is None else self.experts.dense_layers
        )

    @property
    def matrix_weights(self) -> int:
        """Weights of one dense layer's matrices.

        >>> gpt3 = TransformerModel(
        ...     layers=96, hidden=12288, heads=96, key_value_heads=96, head_dim=128,
        ...     feed_forward=49152, sequence=2048, vocabulary=50257,
        ... )
        >>> gpt3.matrix_weights == 12 * 12288**2
        True
        """
        return self.attention_matrices() + self.feed_forward_weights(self.feed_forward)

    @property
    def vector_weights(self) -> int:
        """Weights of one dense layer's biases and normalizations."""
        return self.attention_vectors() + self.feed_forward_vectors() + self.layer_norms

    @property
    def norm_weights(self) -> int:
        """Weights of one normalization, such as the one after the last layer."""
        return self.norms_and_biases.norm.weights(self.hidden)

    @property
    def final_norm_weights(self) -> int:
        """Weights of the norm after the last layer."""
        return self.norm_weights if self.norms_and_biases.final else 0

    @property
    def layer_norms(self) -> int:
        """Weights of a layer's norms over the residual stream."""
        return (4 if self.norms_and_biases.post else 2) * self.norm_weights

    def attention_matrices(self, tensor: int = 1) -> int:
        """Weights of attention's matrices on one of so many tensor-parallel devices."""
        if self.latent is not None:
            return self.latent.matrix_weights(self.hidden, self.heads // tensor)
        query = self.query_width // tensor
        keys = self.key_value_heads_on(tensor) * self.head_dim
        return self.hidden * (2 * query + 2 * keys)

    def attention_vectors(self, tensor: int = 1) -> int:
        """Weights of attention's biases and inner norms on one such device."""
        vectors = self.norms_and_biases
        count = 2 * vectors.norm.weights(self.head_dim) if vectors.query_key else 0
        if self.latent is not None:
            ranks = self.latent.query_rank, self.latent.key_value_rank
            return count + sum(map(vectors.norm.weights, ranks))
        if vectors.attention_biases is not AttentionBiases.NONE:
            count += self.query_width // tensor
            count += 2 * self.key_value_heads_on(tensor) * self.head_dim
        if vectors.attention_biases is AttentionBiases.ALL:
            count += self.hidden
        return count

    def feed_forward_weights(self, width: int, tensor: int = 1) -> int:
        """Weights of the matrices of a feed-forward part of some width."""
        return (self.feed_forward_matrices + 1) * self.hidden * (width // tensor)

    def feed_forward_vectors(self, tensor: int = 1) -> int:
        """Weights of the feed-forward part's biases."""
        if not self.norms_and_biases.feed_forward_biases:
            return 0
        split = self.feed_forward_matrices * self.feed_forward // tensor
        return split + self.hidden

    def expert_weights(self, tensor: int = 1, expert: int = 1) -> int:
        """Weights of one layer's routed experts on one device."""
        if self.experts is None:
            return 0
        one = self.feed_forward_weights(self.experts.feed_forward, tensor)
        return self.experts.experts // expert * one

    def shared_weights(self, kind: LayerKind, tensor: int = 1) -> int:
        """Weights of one layer on one device, but for its routed experts."""
        count = self.attention_matrices(tensor) + self.attention_vectors(tensor)
        count += self.layer_norms
        if kind is LayerKind.DENSE or self.experts is None:
            feed_forward = self.feed_forward_weights(self.feed_forward, tensor)
            return count + feed_forward + self.feed_forward_vectors(tensor)
        shared = self.feed_forward_weights(self.experts.shared_feed_forward, tensor)
        return count + shared + self.experts.router_weights(self.hidden)

    def key_value_heads_on(self, tensor: int) -> int:
        """Key-value heads on one of so many devices; shared ones are copied."""
        return max(1, self.key_value_heads // tensor)

    @property
    def layer_weights(self) -> int:
        """Weights of one dense layer."""
        return self.shared_weights(LayerKind.DENSE)

    @property
    def has_ends(self) -> bool:
        """Whether something stands before the first layer and after the last."""
        return bool(self.vocabulary) or self.patches is not None

    @property
    def position_weights(self) -> int:
        """Weights of learned positions."""
        if not (self.learned_positions and self.has_ends):
            return 0
        return (self.positions or self.sequence) * self.hidden

    @property
    def embedding_weights(self) -> int:
        """Weights before the first layer: tokens or patches, positions, a norm."""
        if self.patches is not None:
            patches = self.patches.embedding_weights(self.hidden)
            return patches + self.position_weights
        norm = self.norm_weights if self.norms_and_biases.embedding else 0
        return self.vocabulary * self.hidden + self.position_weights + norm

    @property
    def head_weights(self) -> int:
        """Weights after the last layer: the output matrix, also where it is tied."""
        if self.patches is not None:
            return self.patches.head_weights(self.hidden)
        return self.vocabulary * self.hidden

    @property
    def weight_count(self) -> int:
        """All weights, a tied matrix counted once.

        Reference:
            T. Brown et al., "Language models are few-shot learners", 2020, table 2.1.

        >>> TransformerModel(
        ...     layers=96, hidden=12288, heads=96, key_value_heads=96, head_dim=128,
        ...     feed_forward=49152, sequence=2048, vocabulary=50257,
        ... ).weight_count
        174604259328
        """
        tied = self.tied_embeddings and self.patches is None
        head = 0 if tied else self.head_weights
        layers = sum(map(self.shared_weights, self.layer_kinds))
        layers += self.expert_layers * self.expert_weights()
        return layers + self.embedding_weights + head + self.final_norm_weights

    @property
    def active_weight_count(self) -> int:
        """Weights that one token meets: all but the experts that it is not sent to."""
        if self.experts is None:
            return self.weight_count
        idle = self.experts.experts - self.experts.top_k
        one = self.feed_forward_weights(self.experts.feed_forward)
        return self.weight_count - self.expert_layers * idle * one

    def flops_per_token(self) -> float:
        """Floating-point operations of one token, forward and backward, no recompute.

        Six for each matrix weight that the token meets, and 12 L s a d for attention
        over the whole sequence, whether or not it is causal.

        Reference:
            A. Chowdhery et al., "PaLM: scaling language modeling with Pathways", 2022,
            appendix B.
        """
        kinds = Counter(self.layer_kinds)
        matrices = sum(n * self._active_matrices(kind) for kind, n in kinds.items())
        width = self.query_width + self.context_width
        attention = 6 * self.layers * width * self.sequence
        if self.patches is None:
            return 6.0 * (matrices + self.head_weights) + attention
        tokens = self.sequence - self.patches.class_token
        ends = tokens * self.patches.pixels + self.patches.classes
        return 6.0 * (matrices + ends * self.hidden / self.sequence) + attention

    def _active_matrices(self, kind: LayerKind) -> int:
        """Weights of the matrices of one layer that a token meets."""
        if kind is LayerKind.DENSE or self.experts is None:
            return self.matrix_weights
        mixture = self.experts
        width = mixture.top_k * mixture.feed_forward + mixture.shared_feed_forward
        router = self.hidden * mixture.experts
        return self.attention_matrices() + self.feed_forward_weights(width) + router


def _check_ends(model: TransformerModel) -> None:
    """The ends and the layers are of one piece."""
    if model.patches is not None and model.vocabulary:
        raise SpecError(
            f"a model has patches or a vocabulary, not both, which is "
            f"{model.vocabulary}"
        )
    mixture = model.experts
    if mixture is not None and mixture.dense_layers >= model.layers:
        raise SpecError(
            f"dense_layers = {mixture.dense_layers} of {model.layers} layers leaves "
            f"none with experts"
        )


def _check_latent(model: TransformerModel, latent: LatentAttention) -> None:
    """The heads are what the latent attention makes of them."""
    if model.head_dim != latent.head_dim:
        raise SpecError(
            f"head_dim = {model.head_dim}, but nope_dim + rope_dim of latent attention "
            f"is {latent.head_dim}"
        )
    if model.key_value_heads != model.heads:
        raise SpecError(
            f"latent attention makes keys and values for each of {model.heads} heads, "
            f"not for key_value_heads = {model.key_value_heads}"
        )
    if model.norms_and_biases.attention_biases is not AttentionBiases.NONE:
        raise SpecError("latent attention has no biases: vectors must say so")
