"""The operators of a mixture of experts, on one device and for one micro-batch.

Tokens are spread evenly over experts, so that a device gets as many rows as it sends.
A device whose rows are fewer than its experts leaves the rest of these alone, as a
decode step of few sequences does.
"""

import math
from dataclasses import dataclass, replace

from cosmic.trace.node import OperatorKind, Product
from cosmic.workload.layer_parts import MixtureOfExperts
from cosmic.workload.operators import Operator, Operators
from cosmic.workload.workload import Workload


@dataclass(frozen=True, slots=True)
class ExpertOperators:
    """The operators of the feed-forward part of a layer with experts.

    Attributes:
        workload: What is computed, and how it is split.
        mixture: The experts.
    """

    workload: Workload
    mixture: MixtureOfExperts

    @property
    def apart(self) -> bool:
        """Whether tensor-parallel devices send off tokens of their own.

        They do where they share the tokens between matrices and experts lie on other
        devices; the rows for an expert are gathered where they have come.
        """
        split = self.workload.parallelism
        return split.tensor_sequence and split.expert > 1

    @property
    def tokens(self) -> int:
        """Tokens that one device routes."""
        split = self.workload.parallelism
        return self.workload.tokens // (split.tensor if self.apart else 1)

    @property
    def sent_bytes(self) -> float:
        """Rows that one device sends to experts, and gets back."""
        return self.workload.element_bytes * self._rows(self.tokens) * self._hidden

    @property
    def computed_bytes(self) -> float:
        """Rows that the experts of one device see."""
        rows = self._rows(self.workload.tokens)
        return self.workload.element_bytes * rows * self._hidden

    def routing(self) -> tuple[Operator, Operator]:
        """The product with the router's matrix, and the choice of experts.

        Scores and choices are never in FP8. The gate of shared experts is one column
        more.
        """
        held = replace(self.workload, precision=self.workload.held_precision)
        columns = self.mixture.experts + self.mixture.shared_gate
        router = Operators(held).matrix("router", self._hidden, columns, self.tokens)
        scores = self.tokens * self.mixture.experts
        choice = Operators(held).pointwise(
            "expert_choice", OperatorKind.ELEMENTWISE, scores, 5, 2, 3
        )
        return router, choice

    def dispatch(self) -> Operator:
        """Rows put in the order of experts, a copy for each that a token goes to."""
        return self._moved("dispatch", 0)

    def combine(self) -> Operator:
        """Rows put back, and those of a token added up by the router's shares."""
        return self._moved("combine", 2)

    def expert_in(self) -> Operator:
        """The products of all local experts into their width."""
        width = self._width(self.mixture.feed_forward)
        matrices = self.workload.model.feed_forward_matrices
        return self._grouped("expert_in", self._hidden, matrices * width)

    def expert_activation(self) -> Operator:
        """What stands between an expert's products."""
        width = self._width(self.mixture.feed_forward)
        elements = math.ceil(self._rows(self.workload.tokens) * width)
        return self._all.activated("expert_activation", elements)

    def expert_out(self) -> Operator:
        """The products of all local experts back to the residual stream."""
        width = self._width(self.mixture.feed_forward)
        return self._grouped("expert_out", width, self._hidden)

    def shared(self) -> tuple[Operator, ...]:
        """The part that every token sees; nothing where there is none."""
        width = self._width(self.mixture.shared_feed_forward)
        if not width:
            return ()
        matrices = self.workload.model.feed_forward_matrices
        return (
            self._all.matrix("shared_in", self._hidden, matrices * width),
            self._all.activated("shared_activation", self.workload.tokens * width),
            self._all.matrix("shared_out", width, self._hidden),
        )

    def _moved(self, name: str, flops: int) -> Operator:
        elements = math.ceil(self._rows(self.tokens) * self._hidden)
        return self._all.pointwise(
            name, OperatorKind.ELEMENTWISE, elements, flops, 2, 2
        )

    def _grouped(self, name: str, inner: int, outer: int) -> Operator:
        """One product for each expert that gets a row."""
        rows = self._rows(self.workload.tokens)
        local = self.mixture.experts // self.workload.parallelism.expert
        active = min(local, math.ceil(rows))
        each = math.ceil(rows / active)
        product = Product(rows=each, columns=outer, inner=inner, batch=active)
        return self._all.multiplied(name, product, rows)

    def _rows(self, tokens: int) -> float:
        return tokens * self.mixture.copies

    def _width(self, width: int) -> int:
        return width // self.workload.parallelism.tensor

    @property
    def _hidden(self) -> int:
        return self.workload.model.hidden

    @property
    def _all(self) -> Operators:
        return Operators(self.workload)
