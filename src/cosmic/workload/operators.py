"""FLOPs and bytes of each operator, on one device and for one micro-batch.

A product of an M x K and a K x N matrix takes 2 M N K operations and moves its three
matrices once. Its backward pass is two products of the same size: one for the gradient
of the input, one for that of the weights.

Reference:
    V. Korthikanti et al., "Reducing activation recomputation in large transformer
    models", 2022, for what a layer consists of.
"""

from dataclasses import dataclass, replace

from cosmic.trace.node import Attention, ComputeNode, OperatorKind, Product
from cosmic.trace.precision import Precision
from cosmic.workload.model import FeedForward
from cosmic.workload.parallelism import SequenceMethod
from cosmic.workload.workload import Workload

Work = Product | Attention

_CORE_PRODUCTS = "attention_scores", "attention_context"
_LOSS_BYTES = 4  # logits enter the loss in single precision


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator forward and backward.

    Attributes:
        forward: What the forward pass does.
        backward: What the backward pass does.
    """

    forward: ComputeNode
    backward: ComputeNode


@dataclass(frozen=True, slots=True)
class Operators:
    """The operators of one workload on one device.

    Attributes:
        workload: What is computed, and how it is split.
    """

    workload: Workload

    def normalization(self) -> Operator:
        """A layer norm or root-mean-square norm over the residual stream."""
        elements = self._residual_tokens * self.workload.model.hidden
        return self.pointwise(
            "normalization", OperatorKind.NORMALIZATION, elements, 5, 2, 3
        )

    def residual(self) -> Operator:
        """Dropout and the sum with what came before."""
        elements = self._residual_tokens * self.workload.model.hidden
        return self.pointwise("residual", OperatorKind.ELEMENTWISE, elements, 2, 3, 2)

    def query_key_value(self) -> Operator:
        """The projection to queries, keys and values."""
        model, tensor = self.workload.model, self.workload.parallelism.tensor
        width = model.query_width // tensor
        width += 2 * self.workload.key_value_heads * model.head_dim
        return self.matrix("query_key_value", model.hidden, width)

    def attention_output(self) -> Operator:
        """The projection from the heads back to the residual stream."""
        model, tensor = self.workload.model, self.workload.parallelism.tensor
        return self.matrix(
            "attention_output", model.context_width // tensor, model.hidden
        )

    def attention_core(self) -> tuple[Operator, ...]:
        """Scores, softmax and context; one operator when they are fused.

        The work is counted over the whole sequence, causal or not. Fused, the backward
        pass computes the scores again, hence five products instead of four.

        Of these, three are as wide as queries and two as wide as values.

        Reference:
            T. Dao, "FlashAttention-2", 2023, section 3.2 (five products backward).
        """
        workload, element = self.workload, self.workload.element_bytes
        held = workload.held_precision
        scores, shape = self._scores(), self._attention_shape()
        width, value = shape.head_dim, shape.value_dim
        queries, context = (self._query_bytes(each) for each in (width, value))
        keys, values = (self._key_bytes(each) for each in (width, value))
        if workload.fused_attention:
            moved = queries + context + keys
            moved += 0.0 if workload.attends_to_latents else values
            flops = 2.0 * scores * (width + value)
            more = (3 * width + 2 * value) / (width + value)
            fused = _operator(
                "attention", OperatorKind.ATTENTION, flops, moved, more, 2
            )
            core = _shaped(fused, (shape,), (replace(shape, backward=True),))
            return (self._in(held, core),)
        moves = queries + keys + element * scores, context + values + element * scores
        batch = shape.batch * shape.heads
        products = (
            Product(rows=shape.queries, columns=shape.keys, inner=width, batch=batch),
            Product(rows=shape.queries, columns=value, inner=shape.keys, batch=batch),
        )
        first, second = (
            self._in(held, _product(name, OperatorKind.ATTENTION, moved, product))
            for name, moved, product in zip(
                _CORE_PRODUCTS, moves, products, strict=True
            )
        )
        return (
            first,
            self.pointwise(
                "attention_softmax", OperatorKind.ELEMENTWISE, scores, 5, 2, 3
            ),
            *((self._attention_dropout(scores),) if workload.dropout else ()),
            second,
        )

    def _attention_dropout(self, scores: int) -> Operator:
        """Probabilities in and out, and the mask in or out: a byte for each."""
        dropout = self.pointwise(
            "attention_dropout", OperatorKind.ELEMENTWISE, scores, 1, 2, 2
        )
        forward, backward = dropout.forward, dropout.backward
        return Operator(
            replace(forward, nbytes=forward.nbytes + scores),
            replace(backward, nbytes=backward.nbytes + scores),
        )

    def _attention_shape(self) -> Attention:
        """What one device's attention core sees."""
        workload, split = self.workload, self.workload.parallelism
        model = workload.model
        heads, queries = model.heads // split.tensor, workload.queries
        if split.sequence_method is SequenceMethod.ULYSSES:
            heads //= split.sequence
        else:
            queries //= split.sequence
        return Attention(
            batch=workload.micro_batch,
            queries=queries,
            keys=workload.keys,
            heads=heads,
            key_value_heads=workload.attended_key_value_heads,
            head_dim=workload.attended_dims[0],
            value_dim=workload.attended_dims[1],
            causal=model.causal and workload.queries == workload.keys,
            key_bytes=workload.cache_bytes if workload.inference else 2.0,
        )

    def feed_forward_in(self) -> Operator:
        """The product, or the two products, into the feed-forward width."""
        model, tensor = self.workload.model, self.workload.parallelism.tensor
        width = model.feed_forward_matrices * model.feed_forward // tensor
        return self.matrix("feed_forward_in", model.hidden, width)

    def activation(self) -> Operator:
        """GELU or SiLU, and the gate's product if there is one."""
        model, tensor = self.workload.model, self.workload.parallelism.tensor
        elements = self.workload.tokens * model.feed_forward // tensor
        return self.activated("activation", elements)

    def activated(self, name: str, elements: int) -> Operator:
        """GELU or SiLU, and a gate's product, over so many elements behind it."""
        kind = self.workload.model.feed_forward_kind
        flops = {FeedForward.GELU: 8, FeedForward.SWIGLU: 6, FeedForward.GEGLU: 9}[kind]
        moved = (3, 5) if kind.gated else (2, 3)
        return self.pointwise(name, OperatorKind.ELEMENTWISE, elements, flops, *moved)

    def feed_forward_out(self) -> Operator:
        """The product back to the residual stream."""
        model, tensor = self.workload.model, self.workload.parallelism.tensor
        return self.matrix(
            "feed_forward_out", model.feed_forward // tensor, model.hidden
        )

    def embedding(self) -> Operator:
        """Looking up one row a token; backward, adding to it."""
        elements = self.workload.tokens * self.workload.model.hidden
        return self.pointwise("embedding", OperatorKind.EMBEDDING, elements, 0, 2, 3)

    def logits(self) -> Operator:
        """The product with the output matrix, which is never done in FP8."""
        workload = self.workload
        held = replace(workload, precision=workload.held_precision)
        return Operators(held).matrix(
            "logits", workload.model.hidden, self._vocabulary, workload.answered
        )

    def sampling(self) -> Operator:
        """The choice of the next token of each sequence, over the whole vocabulary."""
        elements = self.workload.answered * self.workload.model.vocabulary
        return self.pointwise("sampling", OperatorKind.ELEMENTWISE, elements, 5, 1, 0)

    def loss(self) -> Operator:
        """Softmax and cross-entropy over this device's part of the vocabulary."""
        elements = self.workload.tokens * self._vocabulary
        moved = float(_LOSS_BYTES * elements)
        loss = _operator("loss", OperatorKind.LOSS, 5.0 * elements, moved, 0.4, 2)
        return self._in(self.workload.held_precision, loss)

    def optimizer(self, weights: float) -> ComputeNode:
        """Adam over `weights` weights: gradients in, state in and out, weights out.

        Weights without a master copy in the state are read, too.
        """
        workload = self.workload
        moved = workload.gradient_bytes + workload.element_bytes
        moved += 2 * workload.optimizer_bytes
        if not workload.has_master_weights:
            moved += workload.element_bytes
        return ComputeNode(
            name="optimizer",
            kind=OperatorKind.OPTIMIZER,
            flops=10.0 * weights,
            nbytes=float(moved * weights),
            precision=workload.held_precision,
        )

    @property
    def _residual_tokens(self) -> int:
        split = self.workload.parallelism
        return self.workload.tokens // (split.tensor if split.tensor_sequence else 1)

    @property
    def _vocabulary(self) -> int:
        return -(-self.workload.model.vocabulary // self.workload.parallelism.tensor)

    def _scores(self) -> int:
        """Elements of the score matrices of all heads on this device."""
        shape = self._attention_shape()
        return shape.batch * shape.heads * shape.queries * shape.keys

    def _query_bytes(self, dim: int) -> float:
        """Queries or context of this device, so wide in each head."""
        width = dim * self.workload.model.heads // self.workload.parallelism.tensor
        return float(self.workload.element_bytes * self.workload.tokens * width)

    def _key_bytes(self, dim: int) -> float:
        """Keys or values that this device attends to, so wide in each head."""
        workload = self.workload
        width = workload.attended_key_value_heads * dim
        tokens = workload.micro_batch * workload.keys
        return float(workload.cache_bytes * tokens * width)

    def matrix(
        self, name: str, inner: int, outer: int, tokens: int | None = None
    ) -> Operator:
        """Tokens x inner times inner x outer; all tokens, if none are given.

        Factors are read in the format of products, results written in that of
        activations or of gradients.
        """
        tokens = self.workload.tokens if tokens is None else tokens
        product = Product(rows=tokens, columns=outer, inner=inner)
        return self.multiplied(name, product, tokens)

    def multiplied(self, name: str, product: Product, rows: float) -> Operator:
        """A product, or a batch of them with so many rows together."""
        workload, inner, outer = self.workload, product.inner, product.columns
        into, out, matrix = rows * inner, rows * outer, product.batch * inner * outer
        read, written = workload.product_bytes, workload.element_bytes
        forward = read * into + workload.multiplied_bytes * matrix + written * out
        for_input = read * (out + matrix) + written * into
        for_weights = read * (into + out) + workload.gradient_bytes * matrix
        if workload.inference is not None:
            product = replace(product, right_bytes=workload.weight_bytes)
        operator = _product(name, OperatorKind.MATRIX, float(forward), product)
        flops, moved = 2.0 * rows * outer * inner, float(for_input + for_weights)
        both = replace(operator.backward, flops=2 * flops, nbytes=moved)
        first = replace(operator.forward, flops=flops)
        return self._in(workload.precision, Operator(first, both))

    def _in(self, precision: Precision, operator: Operator) -> Operator:
        """The operator in a format."""
        return Operator(
            replace(operator.forward, precision=precision),
            replace(operator.backward, precision=precision),
        )

    def pointwise(
        self,
        name: str,
        kind: OperatorKind,
        elements: int,
        flops: int,
        moved: int,
        moved_backward: int,
    ) -> Operator:
        """`flops` operations and `moved` reads and writes for each element."""
        element = self.workload.element_bytes
        precision = self.workload.held_precision
        return Operator(
            ComputeNode(
                name=name,
                kind=kind,
                flops=float(flops * elements),
                nbytes=float(moved * element * elements),
                precision=precision,
            ),
            ComputeNode(
                name=f"{name} backward",
                kind=kind,
                flops=float(flops * elements),
                nbytes=float(moved_backward * element * elements),
                precision=precision,
            ),
        )


def _operator(
    name: str,
    kind: OperatorKind,
    flops: float,
    moved: float,
    more_flops: float,
    more_moved: float,
) -> Operator:
    """An operator whose backward pass is so many times its forward pass."""
    return Operator(
        ComputeNode(name=name, kind=kind, flops=flops, nbytes=moved),
        ComputeNode(
            name=f"{name} backward",
            kind=kind,
            flops=more_flops * flops,
            nbytes=more_moved * moved,
        ),
    )


def _product(name: str, kind: OperatorKind, moved: float, product: Product) -> Operator:
    """A product, and the two of its backward pass: for its left and right factor."""
    rows, columns, inner = product.rows, product.columns, product.inner
    backward = (
        replace(product, columns=inner, inner=columns),
        replace(product, rows=inner, inner=rows),
    )
    operator = _operator(name, kind, product.flops, moved, 2, 2)
    return _shaped(operator, (product,), backward)


def _shaped(
    operator: Operator, forward: tuple[Work, ...], backward: tuple[Work, ...]
) -> Operator:
    """The operator with the shapes of its kernels."""
    return Operator(
        replace(operator.forward, work=forward),
        replace(operator.backward, work=backward, kernels=len(backward)),
    )
