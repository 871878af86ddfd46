"""The nodes of a trace: what one device computes, and what it exchanges with whom.

The kinds are those of Chakra execution traces. Nodes are shared: a layer's nodes stand
once, however many layers, micro-batches and devices run them.
"""

import enum
from dataclasses import dataclass

from cosmic.errors import TraceError
from cosmic.trace.precision import Precision
from cosmic.units import Bytes, Flops


class CollectiveKind(enum.Enum):
    """What a group of devices does together.

    The buffer that `CollectiveNode.nbytes` counts is, on each device:
    all-reduce: the vector that is summed; reduce-scatter: the vector before it is
    scattered; all-gather: the vector after it is gathered; all-to-all: the vector of
    which every device keeps one slice; broadcast: the vector that the first device of
    the group hands to all others.
    """

    ALL_REDUCE = "all_reduce"
    ALL_GATHER = "all_gather"
    REDUCE_SCATTER = "reduce_scatter"
    ALL_TO_ALL = "all_to_all"
    BROADCAST = "broadcast"


class OperatorKind(enum.Enum):
    """What sort of work a compute node is."""

    MATRIX = "matrix"
    ATTENTION = "attention"
    ELEMENTWISE = "elementwise"
    NORMALIZATION = "normalization"
    EMBEDDING = "embedding"
    LOSS = "loss"
    OPTIMIZER = "optimizer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product of matrices: rows x inner times inner x columns, `batch` times.

    Attributes:
        rows: Of the result.
        columns: Of the result.
        inner: The dimension that is summed over.
        batch: Independent products that one kernel does.
        right_bytes: Bytes of an element of the inner x columns factor; None where it is
            stored in the format of the product.
    """

    rows: int
    columns: int
    inner: int
    batch: int = 1
    right_bytes: float | None = None

    @property
    def flops(self) -> Flops:
        """Two operations for a multiply-add.

        >>> Product(rows=2, columns=3, inner=4).flops
        48.0
        """
        return 2.0 * self.batch * self.rows * self.columns * self.inner


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """One fused attention kernel.

    Attributes:
        batch: Sequences.
        queries: Tokens of each sequence that attend.
        keys: Tokens of each sequence that they attend to, themselves included.
        heads: Query heads.
        key_value_heads: Heads of keys and values.
        head_dim: Width of a head's queries and keys.
        value_dim: Width of a head's values.
        causal: Whether a token sees only those up to itself, so that a kernel can leave
            out what lies beyond.
        backward: Whether this is the gradient of all three inputs.
        key_bytes: Bytes of an element of keys and values as they are stored.
    """

    batch: int
    queries: int
    keys: int
    heads: int
    key_value_heads: int
    head_dim: int
    value_dim: int
    causal: bool = False
    backward: bool = False
    key_bytes: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeNode:
    """One operator on one device.

    Attributes:
        name: For people.
        kind: What sort of work.
        flops: Floating-point operations, two for a multiply-add.
        nbytes: Bytes read from and written to the device's memory.
        work: The shapes of its kernels where arithmetic is their work, for cost models
            that look at them; empty where bytes are, or where nobody knows.
        kernels: Kernels that it launches.
        precision: The format in which it multiplies.
    """

    name: str
    kind: OperatorKind
    flops: Flops
    nbytes: Bytes
    work: tuple[Product | Attention, ...] = ()
    kernels: int = 1
    precision: Precision = Precision.BF16

    def __post_init__(self) -> None:
        if not (0 <= self.flops < float("inf") and 0 <= self.nbytes < float("inf")):
            raise TraceError(
                f"compute node {self.name!r}: FLOPs and bytes must be finite and not "
                f"negative, but are {self.flops} and {self.nbytes}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectiveNode:
    """One collective of one group.

    Attributes:
        name: For people.
        kind: What is done.
        group: Name of the group, one of the graph's.
        nbytes: The buffer of one device, as `CollectiveKind` counts it.
    """

    name: str
    kind: CollectiveKind
    group: str
    nbytes: Bytes

    def __post_init__(self) -> None:
        if not 0 <= self.nbytes < float("inf"):
            raise TraceError(
                f"collective {self.name!r}: bytes must be finite and not negative, "
                f"but are {self.nbytes}"
            )


@dataclass(frozen=True, slots=True)
class Token:
    """Stands for the end of one collective: a label, counted by layers.

    Attributes:
        label: Such as `gradient`.
        offset: Added to the layer of the block's turn that names the token.
    """

    label: str
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Start:
    """Hand a collective to the network and go on.

    Attributes:
        node: The collective.
        token: What stands for its end.
    """

    node: CollectiveNode
    token: Token


@dataclass(frozen=True, slots=True)
class Wait:
    """Go on when the token's collective has ended.

    Attributes:
        token: Whose end is awaited.
    """

    token: Token


Instruction = ComputeNode | Start | Wait
