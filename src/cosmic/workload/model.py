"""A neural network's shape."""

import enum
from dataclasses import dataclass

from cosmic.errors import SpecError


class FeedForward(enum.Enum):
    """The kind of a layer's feed-forward part.

    GELU: two matrices with a GELU between them. SWIGLU: three, of which one gates.
    """

    GELU = "gelu"
    SWIGLU = "swiglu"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerModel:
    """A dense transformer, decoder or encoder: the same work in training.

    Attributes:
        layers: Equal layers.
        hidden: Width of the residual stream.
        heads: Attention heads.
        key_value_heads: Heads of keys and values; fewer than `heads` is grouped-query
            attention, one is multi-query attention.
        head_dim: Width of one head.
        feed_forward: Width of the feed-forward part.
        feed_forward_kind: Its kind.
        sequence: Tokens in a sequence.
        vocabulary: Entries of the embedding; 0 for a model without one.
        tied_embeddings: Whether the output uses the input's embedding.
        learned_positions: Whether positions have weights, one row a token.
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

    def __post_init__(self) -> None:
        for name in ("layers", "hidden", "heads", "key_value_heads", "head_dim"):
            self._positive(name)
        self._positive("feed_forward")
        self._positive("sequence")
        if self.vocabulary < 0:
            raise SpecError(
                f"vocabulary must not be negative, but is {self.vocabulary}"
            )
        if self.heads % self.key_value_heads:
            raise SpecError(
                f"heads = {self.heads} must be a multiple of "
                f"key_value_heads = {self.key_value_heads}"
            )

    def _positive(self, name: str) -> None:
        value = getattr(self, name)
        if value < 1:
            raise SpecError(f"{name} must be at least 1, not {value}")

    @property
    def query_width(self) -> int:
        """Width of all query heads together."""
        return self.heads * self.head_dim

    @property
    def key_value_width(self) -> int:
        """Width of all key heads together, which is that of all value heads."""
        return self.key_value_heads * self.head_dim

    @property
    def feed_forward_matrices(self) -> int:
        """Matrices into the feed-forward width: one, or two where one gates."""
        return 2 if self.feed_forward_kind is FeedForward.SWIGLU else 1

    @property
    def matrix_weights(self) -> int:
        """Weights of one layer's matrices.

        >>> gpt3 = TransformerModel(
        ...     layers=96, hidden=12288, heads=96, key_value_heads=96, head_dim=128,
        ...     feed_forward=49152, sequence=2048, vocabulary=50257,
        ... )
        >>> gpt3.matrix_weights == 12 * 12288**2
        True
        """
        attention = self.hidden * (2 * self.query_width + 2 * self.key_value_width)
        into = self.feed_forward_matrices * self.hidden * self.feed_forward
        return attention + into + self.feed_forward * self.hidden

    @property
    def vector_weights(self) -> int:
        """Weights of one layer's biases and two normalizations.

        A GELU model has biases and layer norms of two vectors; a SwiGLU model has no
        biases and root-mean-square norms of one.
        """
        if self.feed_forward_kind is FeedForward.SWIGLU:
            return 2 * self.norm_weights
        qkv = self.query_width + 2 * self.key_value_width
        return qkv + self.feed_forward + 2 * self.hidden + 2 * self.norm_weights

    @property
    def norm_weights(self) -> int:
        """Weights of one normalization, such as the one after the last layer."""
        gated = self.feed_forward_kind is FeedForward.SWIGLU
        return self.hidden if gated else 2 * self.hidden

    @property
    def layer_weights(self) -> int:
        """Weights of one layer."""
        return self.matrix_weights + self.vector_weights

    @property
    def embedding_weights(self) -> int:
        """Weights before the first layer: tokens, and positions if they are learned."""
        positions = self.sequence if self.learned_positions and self.vocabulary else 0
        return (self.vocabulary + positions) * self.hidden

    @property
    def head_weights(self) -> int:
        """Weights after the last layer: the output matrix, also where it is tied."""
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
        head = 0 if self.tied_embeddings else self.head_weights
        layers = self.layers * self.layer_weights
        return layers + self.embedding_weights + head + self.norm_weights

    def flops_per_token(self) -> float:
        """Floating-point operations of one token, forward and backward, no recompute.

        Six for each matrix weight, and 12 L s a d for attention over the whole
        sequence, whether or not it is causal.

        Reference:
            A. Chowdhery et al., "PaLM: scaling language modeling with Pathways", 2022,
            appendix B.
        """
        matrices = self.layers * self.matrix_weights + self.head_weights
        attention = 12 * self.layers * self.query_width * self.sequence
        return 6.0 * matrices + attention
