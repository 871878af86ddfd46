"""The shape of a model's spec file: what keys it has, and what they hold."""

from typing import Annotated, Literal

from pydantic import Field

from cosmic.io.spec_models import SpecModel

Count = Annotated[int, Field(ge=1, le=2**40)]
Amount = Annotated[int, Field(ge=0, le=2**40)]


class VectorsSpec(SpecModel):
    """Norms and biases; what is left out goes by the kind of the feed-forward part.

    Attributes:
        norm: layer has two vectors of weights, rms (root mean square) one.
        post: Whether each half of a layer is also normalized after it.
        query_key: Whether each head's queries and keys are normalized.
        embedding: Whether what the embedding gives is normalized.
        final: Whether the last layer's output is normalized.
        attention_biases: Which projections of attention add a bias.
        feed_forward_biases: Whether the matrices of the feed-forward part add biases.
    """

    norm: Literal["layer", "rms"] | None = None
    post: bool | None = None
    query_key: bool | None = None
    embedding: bool | None = None
    final: bool | None = None
    attention_biases: Literal["none", "query_key_value", "all"] | None = None
    feed_forward_biases: bool | None = None


class ExpertsSpec(SpecModel):
    """A mixture of experts.

    Attributes:
        experts: Routed experts of a layer.
        top_k: How many of them see a token.
        feed_forward: Width of one.
        shared_feed_forward: Width of all shared experts together.
        dense_layers: So many first layers have a plain feed-forward part instead.
        capacity_factor: Tokens for which an expert has room, over those that it gets
            when all get as many; without it, none is dropped and no room is spare.
        shared_gate: Whether a gate scales what the shared experts give.
        router_biases: Whether the router has a bias for each expert.
    """

    experts: Count
    top_k: Count
    feed_forward: Count
    shared_feed_forward: Amount = 0
    dense_layers: Amount = 0
    capacity_factor: Annotated[float, Field(gt=0, le=1e6)] | None = None
    shared_gate: bool = False
    router_biases: bool = False


class LatentSpec(SpecModel):
    """Multi-latent attention.

    Attributes:
        query_rank: Width of the vector that queries come out of; 0 for none.
        key_value_rank: Width of the vector that keys and values come out of.
        rope_dim: Width of a head's rotated part.
        nope_dim: Width of its part without position.
        value_dim: Width of its values.
    """

    query_rank: Amount = 0
    key_value_rank: Count
    rope_dim: Amount
    nope_dim: Count
    value_dim: Count


class PatchesSpec(SpecModel):
    """The ends of a vision transformer.

    Attributes:
        size: Height and width of a patch, in pixels.
        channels: Colors of a pixel.
        class_token: Whether one token more stands for the whole image.
        classes: Outputs of the classifier; 0 for none.
    """

    size: Count
    channels: Count = 3
    class_token: bool = True
    classes: Amount = 0


class ModelSpec(SpecModel):
    """A model's shape.

    Attributes:
        kind: What the file describes.
        about: One sentence for people.
        source: Where the numbers are from.
        layers: Transformer layers.
        hidden: Width of the model.
        heads: Attention heads of a layer.
        key_value_heads: Heads of keys and values, where several heads share one; as
            many as `heads` if left out.
        head_dim: Width of a head; `hidden` / `heads` if left out, or what latent
            attention makes it.
        feed_forward: Width inside the feed-forward block.
        feed_forward_kind: gelu has two matrices; swiglu and geglu have three.
        sequence: Tokens of a sequence.
        vocabulary: Kinds of tokens; 0 leaves embedding and head out.
        tied_embeddings: Whether embedding and head are one matrix.
        learned_positions: Whether each position has a vector of its own.
        positions: How many positions have one; as many as tokens if left out.
        causal: Whether a token attends to itself and those before it only.
        vectors: Norms and biases.
        experts: A mixture of experts.
        latent: Multi-latent attention.
        patches: The ends of a vision transformer, in the place of a vocabulary.
    """

    kind: Literal["model"]
    about: str = ""
    source: str = ""
    layers: Count
    hidden: Count
    heads: Count
    key_value_heads: Count | None = None
    head_dim: Count | None = None
    feed_forward: Count
    feed_forward_kind: Literal["gelu", "swiglu", "geglu"] = "gelu"
    sequence: Count
    vocabulary: Amount = 0
    tied_embeddings: bool = True
    learned_positions: bool = True
    positions: Amount = 0
    causal: bool = True
    vectors: VectorsSpec | None = None
    experts: ExpertsSpec | None = None
    latent: LatentSpec | None = None
    patches: PatchesSpec | None = None
