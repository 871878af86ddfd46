"""What a transformer may be made of: norms, biases, experts, latents and patches.

Each part knows the shapes of its own weights; `TransformerModel` puts them together.
"""

import enum
from dataclasses import dataclass

from cosmic.errors import SpecError


class Norm(enum.Enum):
    """A normalization: LAYER has two vectors of weights, RMS (root mean square) one."""

    LAYER = "layer"
    RMS = "rms"

    def weights(self, width: int) -> int:
        """Weights of one over so many elements.

        >>> Norm.LAYER.weights(4096), Norm.RMS.weights(4096)
        (8192, 4096)
        """
        return 2 * width if self is Norm.LAYER else width


class AttentionBiases(enum.Enum):
    """Which of attention's projections add a bias."""

    NONE = "none"
    QUERY_KEY_VALUE = "query_key_value"
    ALL = "all"


class LayerKind(enum.Enum):
    """What stands behind a layer's attention.

    DENSE: one feed-forward part. EXPERTS: a mixture of them.
    """

    DENSE = "dense"
    EXPERTS = "experts"


@dataclass(frozen=True, slots=True, kw_only=True)
class NormsAndBiases:
    """The vectors of weights beside the matrices.

    Attributes:
        norm: The kind of all norms.
        post: Whether each half of a layer is also normalized after it, as in Gemma 2.
        query_key: Whether each head's queries and keys are normalized; all heads share
            the weights.
        embedding: Whether what the embedding gives is normalized.
        final: Whether the last layer's output is normalized.
        attention_biases: Which projections of attention add a bias.
        feed_forward_biases: Whether the feed-forward part's matrices add biases.
    """

    norm: Norm = Norm.LAYER
    post: bool = False
    query_key: bool = False
    embedding: bool = False
    final: bool = True
    attention_biases: AttentionBiases = AttentionBiases.ALL
    feed_forward_biases: bool = True


GATED = NormsAndBiases(
    norm=Norm.RMS,
    attention_biases=AttentionBiases.NONE,
    feed_forward_biases=False,
)
"""What Llama has, and most models with a gated feed-forward part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureOfExperts:
    """Many feed-forward parts, of which a router picks a few for each token.

    Experts have no biases. Tokens are taken to be spread evenly over the experts.

    Attributes:
        experts: Routed experts of a layer.
        top_k: How many of them see a token.
        feed_forward: Width of one.
        shared_feed_forward: Width of what every token sees beside them, all shared
            experts together; 0 for none.
        dense_layers: So many first layers have a plain feed-forward part instead.
        capacity_factor: Tokens for which an expert has room, over those that it gets
            when all get as many; its buffers are filled up to that. None has room for
            all that come, and nothing to spare.
        shared_gate: Whether a gate scales what the shared experts give (Qwen 2).
        router_biases: Whether the router has a bias for each expert (DeepSeek V3).

    Reference:
        N. Shazeer et al., "Outrageously large neural networks", 2017; D. Lepikhin et
        al., "GShard", 2020 (capacity); D. Dai et al., "DeepSeekMoE", 2024 (shared).
    """

    experts: int
    top_k: int
    feed_forward: int
    shared_feed_forward: int = 0
    dense_layers: int = 0
    capacity_factor: float | None = None
    shared_gate: bool = False
    router_biases: bool = False

    def __post_init__(self) -> None:
        _check_least(self, 1, "experts", "top_k", "feed_forward")
        _check_least(self, 0, "shared_feed_forward", "dense_layers")
        if self.top_k > self.experts:
            raise SpecError(f"top_k = {self.top_k} of only {self.experts} experts")
        capacity = self.capacity_factor
        if capacity is not None and not 0 < capacity < float("inf"):
            raise SpecError(f"capacity_factor must be positive, not {capacity}")
        if self.shared_gate and not self.shared_feed_forward:
            raise SpecError("shared_gate without shared_feed_forward gates nothing")

    @property
    def copies(self) -> float:
        """How many rows an expert layer computes for each token.

        >>> MixtureOfExperts(experts=8, top_k=2, feed_forward=1).copies
        2.0
        """
        return self.top_k * (
            1.0 if self.capacity_factor is None else self.capacity_factor
        )

    def router_weights(self, hidden: int) -> int:
        """Weights of a layer's router, and of the gate of its shared experts."""
        gate = hidden if self.shared_gate else 0
        return (
            hidden * self.experts + gate + (self.experts if self.router_biases else 0)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentAttention:
    """Multi-latent attention: keys and values come out of one narrow vector a token.

    A head's queries and keys have a part without position and a rotated one; the
    rotated part of the keys is the same for all heads.

    Attributes:
        query_rank: Width of the vector that queries come out of; 0 where they are
            projected at once.
        key_value_rank: Width of the vector that keys and values come out of.
        rope_dim: Width of a head's rotated part.
        nope_dim: Width of its part without position.
        value_dim: Width of its values.

    Reference:
        DeepSeek-AI, "DeepSeek-V2", 2024, section 2.1.
    """

    query_rank: int
    key_value_rank: int
    rope_dim: int
    nope_dim: int
    value_dim: int

    def __post_init__(self) -> None:
        _check_least(self, 0, "query_rank", "rope_dim")
        _check_least(self, 1, "key_value_rank", "nope_dim", "value_dim")

    @property
    def head_dim(self) -> int:
        """Width of a head's queries and keys."""
        return self.nope_dim + self.rope_dim

    @property
    def down_width(self) -> int:
        """Width of all that is projected from the residual stream, if not at once."""
        return self.query_rank + self.key_value_rank + self.rope_dim

    def matrix_weights(self, hidden: int, heads: int) -> int:
        """Weights of all matrices, those out of the narrow vectors for so many heads.

        >>> v3 = LatentAttention(
        ...     query_rank=1536, key_value_rank=512, rope_dim=64, nope_dim=128,
        ...     value_dim=128,
        ... )
        >>> v3.matrix_weights(7168, 128)  # DeepSeek V3
        187105280
        """
        queries = (self.query_rank or hidden) * heads * self.head_dim
        keys_and_values = self.key_value_rank * heads * (self.nope_dim + self.value_dim)
        output = heads * self.value_dim * hidden
        return hidden * self.down_width + queries + keys_and_values + output


@dataclass(frozen=True, slots=True, kw_only=True)
class Patches:
    """The ends of a vision transformer: patches of an image in, classes out.

    Attributes:
        size: Height and width of a patch, in pixels.
        channels: Colors of a pixel.
        class_token: Whether one token more stands for the whole image.
        classes: Outputs of the classifier; 0 for none.

    Reference:
        A. Dosovitskiy et al., "An image is worth 16x16 words", 2020.
    """

    size: int
    channels: int = 3
    class_token: bool = True
    classes: int = 0

    def __post_init__(self) -> None:
        _check_least(self, 1, "size", "channels")
        _check_least(self, 0, "classes")

    @property
    def pixels(self) -> int:
        """Numbers in a patch."""
        return self.channels * self.size**2

    def embedding_weights(self, hidden: int) -> int:
        """Weights of the projection, its bias, and the class token."""
        return (self.pixels + 1 + self.class_token) * hidden

    def head_weights(self, hidden: int) -> int:
        """Weights of the classifier and its biases."""
        return (hidden + 1) * self.classes


def _check_least(part: object, least: int, *names: str) -> None:
    for name in names:
        value = getattr(part, name)
        if value < least:
            raise SpecError(f"{name} must be at least {least}, not {value}")
