"""What one layer, the embedding and the head do forward and backward: their units.

A unit's instructions name the collectives that the way of splitting asks for, each
started where its input is ready and awaited where its output is needed. Groups of one
device communicate nothing and get no instruction.

Left out: with `tensor_sequence`, the second gathering of a product's input for the
gradient of its weights, which hides behind the product for the gradient of its input;
and the sums of the gradients of what tensor-parallel devices hold in copies.
"""

from dataclasses import dataclass
from functools import lru_cache

from cosmic.trace.node import (
    CollectiveKind,
    ComputeNode,
    Instruction,
    Start,
    Token,
    Wait,
)
from cosmic.workload.casts import with_casts
from cosmic.workload.exchanges import blocking
from cosmic.workload.expert_layers import expert_backward, expert_forward
from cosmic.workload.latent_operators import latent_projections
from cosmic.workload.layer_parts import LayerKind, Patches
from cosmic.workload.operators import Operator, Operators
from cosmic.workload.parallelism import Recompute, SequenceMethod
from cosmic.workload.put_off import put_off
from cosmic.workload.ring_attention import ring_backward, ring_forward
from cosmic.workload.tensor_overlap import with_overlap
from cosmic.workload.vision import classifier, patch_embedding
from cosmic.workload.weights import (
    embedding_weights,
    head_weights,
    layer_weights,
    spread_weights,
)
from cosmic.workload.workload import Workload

_STATISTICS_BYTES = 12  # maximum, sum and target logit of a token, single precision


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of the model that runs as a whole.

    Attributes:
        name: For people.
        weights: Weights that one device holds of it before any sharding, but for
            `experts`.
        forward: One micro-batch forward.
        backward: One micro-batch backward.
        weight_backward: What of that the schedule puts off.
        experts: Those that other devices of the expert group do not hold.
    """

    name: str
    weights: int
    forward: tuple[Instruction, ...]
    backward: tuple[Instruction, ...]
    weight_backward: tuple[Instruction, ...] = ()
    experts: int = 0


@lru_cache(maxsize=64)
def layer_unit(workload: Workload, kind: LayerKind = LayerKind.DENSE) -> Unit:
    """One transformer layer of a kind."""
    parts = _Parts(workload)
    behind = parts.feed_forward_forward(), parts.feed_forward_backward()
    if kind is LayerKind.EXPERTS:
        behind = expert_forward(parts), expert_backward(parts)
    forward = (*parts.attention_forward(), *behind[0])
    backward = (*behind[1], *parts.attention_backward())
    backward, later = put_off(with_casts(backward, workload), workload)
    forward, backward = (
        with_overlap(program, workload)
        for program in (with_casts(forward, workload), backward)
    )
    if workload.recompute is Recompute.FULL:
        backward = (*_again(forward), *backward)
    spread = spread_weights(workload, kind)
    weights = layer_weights(workload, kind) - spread
    name = "layer" if kind is LayerKind.DENSE else "expert layer"
    return Unit(name, weights, forward, backward, later, spread)


def embedding_unit(workload: Workload) -> Unit:
    """What stands before the first layer."""
    parts, patches = _Parts(workload), workload.model.patches
    if patches is not None:
        found = patch_embedding(workload, patches)
        weights = embedding_weights(workload)
        return Unit("embedding", weights, (found.forward,), (found.backward,))
    operator = Operators(workload).embedding()
    backward = (*parts.enter("embedding backward"), operator.backward)
    return Unit(
        "embedding",
        embedding_weights(workload),
        (operator.forward, *parts.leave("embedding")),
        *put_off(backward, workload),
    )


@lru_cache(maxsize=64)
def head_unit(workload: Workload) -> Unit:
    """What stands after the last layer: norm, logits and loss, or the next token."""
    if workload.model.patches is not None:
        return _classes(workload, workload.model.patches)
    parts, operators = _Parts(workload), Operators(workload)
    norm, logits, loss = operators.normalization(), operators.logits(), operators.loss()
    if workload.inference is not None:
        return Unit("head", head_weights(workload), parts.answer(), ())
    statistics = parts.tensor(
        "loss statistics",
        CollectiveKind.ALL_REDUCE,
        _STATISTICS_BYTES * workload.tokens,
    )
    forward = (norm.forward, *parts.enter("logits"), logits.forward, *statistics)
    backward = (loss.backward, logits.backward, *parts.leave_backward("logits"))
    return Unit(
        "head",
        head_weights(workload),
        (*forward, loss.forward),
        *put_off((*backward, norm.backward), workload),
    )


def _classes(workload: Workload, patches: Patches) -> Unit:
    """The end of a vision transformer: a norm and perhaps a classifier."""
    done = (Operators(workload).normalization(), *classifier(workload, patches))
    return Unit(
        "head",
        head_weights(workload),
        tuple(operator.forward for operator in done),
        *put_off((operator.backward for operator in reversed(done)), workload),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """The instructions of the parts of a layer."""

    workload: Workload

    def attention_forward(self) -> tuple[Instruction, ...]:
        operators = Operators(self.workload)
        return (
            operators.normalization().forward,
            *self.enter("attention"),
            *(operator.forward for operator in self._projections()),
            *self._attend(operators.attention_core()),
            *self._exchange_heads("context", self._context_bytes),
            operators.attention_output().forward,
            *self.leave("attention"),
            operators.residual().forward,
        )

    def attention_backward(self) -> tuple[Instruction, ...]:
        operators = Operators(self.workload)
        core = operators.attention_core()
        return (
            operators.residual().backward,
            *self.enter_backward("attention"),
            operators.attention_output().backward,
            *self._exchange_heads("context backward", self._context_bytes),
            *self._attend_backward(core),
            *(operator.backward for operator in reversed(self._projections())),
            *self.leave_backward("attention"),
            operators.normalization().backward,
        )

    def feed_forward_forward(self) -> tuple[Instruction, ...]:
        operators = Operators(self.workload)
        return (
            operators.normalization().forward,
            *self.enter("feed_forward"),
            operators.feed_forward_in().forward,
            operators.activation().forward,
            operators.feed_forward_out().forward,
            *self.leave("feed_forward"),
            operators.residual().forward,
        )

    def feed_forward_backward(self) -> tuple[Instruction, ...]:
        operators = Operators(self.workload)
        return (
            operators.residual().backward,
            *self.enter_backward("feed_forward"),
            operators.feed_forward_out().backward,
            operators.activation().backward,
            operators.feed_forward_in().backward,
            *self.leave_backward("feed_forward"),
            operators.normalization().backward,
        )

    def answer(self) -> tuple[Instruction, ...]:
        """The next token of each sequence, chosen where all logits have come together.

        With `tensor_sequence` the last tokens lie on one device, so that all have to be
        gathered.
        """
        operators = Operators(self.workload)
        width = self.workload.answered * self.workload.model.vocabulary
        nbytes = float(self.workload.element_bytes * width)
        return (
            operators.normalization().forward,
            *self.enter("logits"),
            operators.logits().forward,
            *self.tensor("all logits", CollectiveKind.ALL_GATHER, nbytes),
            operators.sampling().forward,
        )

    def enter(self, name: str) -> tuple[Instruction, ...]:
        """Before split matrices: the tokens are gathered where they are split."""
        if not self.workload.parallelism.tensor_sequence:
            return ()
        return self.tensor(
            f"{name} in", CollectiveKind.ALL_GATHER, self._residual_bytes
        )

    def leave(self, name: str) -> tuple[Instruction, ...]:
        """After split matrices: partial sums are added, and the tokens split again."""
        return self.tensor(f"{name} out", self._sum, self._residual_bytes)

    def enter_backward(self, name: str) -> tuple[Instruction, ...]:
        """Before split matrices, backward: what `leave` scattered is gathered."""
        return self.enter(f"{name} backward")

    def leave_backward(self, name: str) -> tuple[Instruction, ...]:
        """After split matrices, backward: the parts of the input's gradient add up."""
        return self.leave(f"{name} backward")

    def tensor(
        self, name: str, kind: CollectiveKind, nbytes: float
    ) -> tuple[Instruction, ...]:
        """A collective of the tensor group that is awaited at once."""
        if self.workload.parallelism.tensor == 1:
            return ()
        return blocking(name, kind, "tensor", nbytes)

    def _projections(self) -> tuple[Operator, ...]:
        """From the residual stream to queries, keys and values."""
        latent = self.workload.model.latent
        if latent is None:
            return (Operators(self.workload).query_key_value(),)
        return latent_projections(self.workload, latent)

    def _attend(self, core: tuple[Operator, ...]) -> tuple[Instruction, ...]:
        """The core of attention and what it takes to see the whole sequence."""
        work = tuple(operator.forward for operator in core)
        if self._goes_round:
            return ring_forward(work, self._key_value_bytes, self._sharing)
        return (*self._share_sequence(), *work)

    def _attend_backward(self, core: tuple[Operator, ...]) -> tuple[Instruction, ...]:
        backward = (operator.backward for operator in reversed(core))
        work = (*self._core_again(core), *backward)
        if self._goes_round:
            return ring_backward(work, self._key_value_bytes, self._sharing)
        return (*self._keys_again(), *work, *self._return_sequence())

    @property
    def _goes_round(self) -> bool:
        method = self.workload.parallelism.sequence_method
        return method is SequenceMethod.RING and self._sharing > 1

    @property
    def _sharing(self) -> int:
        return self.workload.parallelism.sequence

    def _share_sequence(self) -> tuple[Instruction, ...]:
        """Give attention its view of the whole sequence."""
        if self.workload.parallelism.sequence_method is SequenceMethod.ULYSSES:
            return self._exchange_heads("query_key_value", self._exchanged_bytes)
        return self._gather_keys("keys and values")

    def _return_sequence(self) -> tuple[Instruction, ...]:
        """Bring the gradients of keys and values to where their tokens are."""
        split = self.workload.parallelism
        if split.sequence_method is SequenceMethod.ULYSSES:
            return self._exchange_heads(
                "query_key_value backward",
                self._exchanged_bytes,
            )
        return self._sequence(
            "keys and values backward",
            CollectiveKind.REDUCE_SCATTER,
            self._key_value_bytes * split.sequence,
        )

    def _keys_again(self) -> tuple[Instruction, ...]:
        """Keys and values of other devices are not kept, but gathered again."""
        if self.workload.parallelism.sequence_method is SequenceMethod.ULYSSES:
            return ()
        return self._gather_keys("keys and values again")

    def _gather_keys(self, name: str) -> tuple[Instruction, ...]:
        gathered = self._key_value_bytes * self.workload.parallelism.sequence
        return self._sequence(name, CollectiveKind.ALL_GATHER, gathered)

    def _exchange_heads(self, name: str, nbytes: float) -> tuple[Instruction, ...]:
        if self.workload.parallelism.sequence_method is not SequenceMethod.ULYSSES:
            return ()
        return self._sequence(name, CollectiveKind.ALL_TO_ALL, nbytes)

    def _sequence(
        self, name: str, kind: CollectiveKind, nbytes: float
    ) -> tuple[Instruction, ...]:
        if self.workload.parallelism.sequence == 1:
            return ()
        return blocking(name, kind, "sequence", nbytes)

    def _core_again(self, core: tuple[Operator, ...]) -> tuple[ComputeNode, ...]:
        """Selective recomputation; a fused core does it by itself."""
        selective = self.workload.recompute is Recompute.SELECTIVE
        if not selective or self.workload.fused_attention:
            return ()
        return tuple(operator.forward for operator in core)

    @property
    def _sum(self) -> CollectiveKind:
        if self.workload.parallelism.tensor_sequence:
            return CollectiveKind.REDUCE_SCATTER
        return CollectiveKind.ALL_REDUCE

    @property
    def _residual_bytes(self) -> float:
        workload = self.workload
        elements = workload.tokens * workload.model.hidden
        return float(workload.element_bytes * elements)

    @property
    def _query_bytes(self) -> float:
        workload = self.workload
        width = workload.model.query_width // workload.parallelism.tensor
        return float(workload.element_bytes * workload.tokens * width)

    @property
    def _context_bytes(self) -> float:
        workload = self.workload
        width = workload.model.context_width // workload.parallelism.tensor
        return float(workload.element_bytes * workload.tokens * width)

    @property
    def _key_value_bytes(self) -> float:
        workload = self.workload
        width = workload.key_value_heads * sum(workload.attended_dims)
        return float(workload.element_bytes * workload.tokens * width)

    @property
    def _exchanged_bytes(self) -> float:
        """Queries, keys and values; a key goes to each device that attends to it."""
        workload = self.workload
        heads = workload.attended_key_value_heads * workload.parallelism.sequence
        keys_and_values = heads * sum(workload.attended_dims)
        kept = workload.element_bytes * workload.tokens * keys_and_values
        return self._query_bytes + kept


def _again(instructions: tuple[Instruction, ...]) -> tuple[Instruction, ...]:
    """The same instructions under other tokens, to stand in the same turn."""
    return tuple(_renamed(instruction) for instruction in instructions)


def _renamed(instruction: Instruction) -> Instruction:
    match instruction:
        case Start(node, token):
            return Start(node, Token(f"{token.label} again", token.offset))
        case Wait(token):
            return Wait(Token(f"{token.label} again", token.offset))
        case _:
            return instruction
