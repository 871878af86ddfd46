"""A design space: a parameter set that can be counted, sampled, tested and walked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from cosmic.design.component import Component, compile_components
from cosmic.design.constraint import Constraint
from cosmic.design.design_point import DesignPoint
from cosmic.design.diagram import IndexMatrix
from cosmic.design.moves import IndexVector, Moves, Target
from cosmic.design.parameter import PointValue, Stack, Value
from cosmic.design.parameter_set import ParameterSet
from cosmic.design.ranking import Ranking
from cosmic.design.rule import Rule, roughly, rules_of
from cosmic.design.sampling import sampler_of
from cosmic.design.symbols import Gene
from cosmic.design.translation import Translation
from cosmic.design.view import View
from cosmic.errors import SpecError


class DesignSpace:
    """The feasible design points of a parameter set, compiled.

    Agents see genes: one for each scalar and one for each element of a vector. A
    vector of this space has, for each gene, the index of one of its choices. Every
    vector and point that comes out is feasible.

    Genes that constraints tie together form a component; each component holds its
    feasible combinations as a decision diagram, and components multiply. Rules that
    tie too many combinations to be compiled are refused with a `SpecError`.

    >>> from cosmic.design.constraint import Expression
    >>> from cosmic.design.parameter import Parameter
    >>> degrees = [
    ...     Parameter(name=name, stack=Stack.WORKLOAD, choices=(1, 2, 4, 8))
    ...     for name in ("dp", "tp")
    ... ]
    >>> rule = Expression("dp * tp == 8")
    >>> space = DesignSpace(
    ...     ParameterSet(name="tiny", parameters=degrees, constraints=[rule])
    ... )
    >>> space.raw_count, space.count
    (16, 4)
    >>> [space.point(vector)["dp"] for vector in space.enumerate()]
    [1, 2, 4, 8]
    """

    def __init__(
        self,
        parameter_set: ParameterSet,
        baseline: Mapping[str, PointValue] | None = None,
        *,
        view: View | None = None,
    ) -> None:
        """Compile a parameter set.

        Args:
            parameter_set: What may be chosen.
            baseline: A value for each parameter, for views to hold; it may lie
                outside the choices.
            view: What is searched; everything, if left out.

        Raises:
            ConsistencyError: The constraints leave no point; names a few that do so.
            SpecError: The baseline does not fit, or a rule cannot be compiled.
        """
        self._view = view or View(parameter_set, baseline)
        symbols = self._view.symbols()
        self._rules = rules_of(parameter_set, symbols)
        self._components = compile_components(symbols, self._rules)
        self._genes = symbols.genes
        self._radices = np.array([len(g.choices) for g in self._genes], dtype=np.int64)
        self._radices.setflags(write=False)
        self._sampler = sampler_of(self._components)
        self._ranking = Ranking(self._components, len(self._genes))
        ordinal = np.array([gene.ordinal for gene in self._genes], dtype=np.bool_)
        self._moves = Moves(self._components, self._radices, ordinal)
        self._translation = Translation(self._view, symbols, self._components)

    @override
    def __repr__(self) -> str:
        return (
            f"DesignSpace({self.parameter_set.name!r}, {len(self._genes)} genes, "
            f"{roughly(self.count)} of {roughly(self.raw_count)} points)"
        )

    def __contains__(self, point: object) -> bool:
        return isinstance(point, Mapping) and self._translation.contains(point)

    @property
    def parameter_set(self) -> ParameterSet:
        """What it was compiled from."""
        return self._view.parameter_set

    @property
    def baseline(self) -> DesignPoint | None:
        """What parameters are held at while they are not searched."""
        return self._view.baseline

    @property
    def followed(self) -> frozenset[str]:
        """Parameters that are not searched, but computed by what they follow."""
        return self._view.followed

    @property
    def components(self) -> Sequence[Component]:
        """The parts that no rule ties together, with their feasible combinations."""
        return self._components

    @property
    def genes(self) -> tuple[str, ...]:
        """Names of the genes that are searched: `dp`, `topology[0]`, ..."""
        return tuple(gene.name for gene in self._genes)

    @property
    def gene_table(self) -> tuple[Gene, ...]:
        """The genes with their choices, and whether these are ordered."""
        return self._genes

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Everything that ties the genes, each with its text and its genes."""
        return self._rules

    def possible(self, gene: int) -> tuple[Value, ...]:
        """The choices of a gene that some feasible point makes."""
        component = next(c for c in self._components if gene in c.genes)
        layer = component.diagram.layers[component.genes.index(gene)]
        alive: list[bool] = np.asarray((layer >= 0).any(axis=0)).tolist()
        choices = self._genes[gene].choices
        return tuple(c for c, kept in zip(choices, alive, strict=True) if kept)

    @property
    def radices(self) -> npt.NDArray[np.int64]:
        """Choices of each gene."""
        return self._radices

    @property
    def raw_count(self) -> int:
        """Combinations of choices, feasible or not."""
        return prod(len(gene.choices) for gene in self._genes)

    @property
    def count(self) -> int:
        """Feasible points, exactly."""
        return self._ranking.count

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that change with the parameter set or the view."""
        return self._view.digest

    def sample(self, rng: np.random.Generator, count: int) -> IndexMatrix:
        """Draw feasible vectors, one a row, all points being equally likely."""
        return self._sampler.sample(rng, count)

    def enumerate(self) -> Iterator[IndexVector]:
        """Give every feasible vector once, in the order of `index_of`."""
        return self._ranking.enumerate()

    def index_of(self, vector: Sequence[int] | IndexVector) -> int:
        """The place of a feasible vector in the fixed order, from 0.

        Raises:
            SpecError: The vector is not feasible.
        """
        return self._ranking.rank([int(i) for i in vector])

    def vector_at(self, index: int) -> IndexVector:
        """The vector at a place in the fixed order.

        Raises:
            SpecError: There is no such place.
        """
        vector: IndexVector = self._ranking.vectors([index])[0]
        return vector

    def vectors_at(self, indices: Sequence[int]) -> IndexMatrix:
        """The vectors at some places in the fixed order, one a row.

        Raises:
            SpecError: There is no such place.
        """
        return self._ranking.vectors(indices)

    def feasible(self, vector: Sequence[int] | IndexVector) -> bool:
        """Whether a vector is that of a point of this space."""
        return self._ranking.contains([int(i) for i in vector])

    def point(self, vector: Sequence[int] | IndexVector) -> DesignPoint:
        """The design point of a feasible vector: all parameters, searched and held."""
        return self._translation.point([int(i) for i in vector])

    def points(self, matrix: IndexMatrix) -> list[DesignPoint]:
        """The design points of feasible vectors."""
        return [self._translation.point(row) for row in matrix.tolist()]

    def vector(self, point: Mapping[str, PointValue]) -> IndexVector:
        """The vector of a point of this space.

        Values of inactive parameters do not matter and may be missing, and so may
        those of parameters that are not searched.

        Raises:
            SpecError: The point is not in this space; says why.
        """
        return self._translation.vector(point)

    def violations(self, values: Mapping[str, PointValue]) -> tuple[str, ...]:
        """Why values are no point of this space, one sentence for each reason.

        Values of inactive parameters do not matter and may be missing.
        """
        return self._translation.violations(values)

    def project(self, target: Sequence[float] | Target) -> IndexVector:
        """The feasible vector nearest to any vector, see `moves`.

        Args:
            target: For each gene a place along its choices, from 0 to their number
                less 1; need not be whole, feasible or inside.

        Raises:
            SpecError: It has the wrong length, or holds a NaN.
        """
        return self._moves.project(self._checked(target))

    def project_all(self, targets: Target) -> IndexMatrix:
        """The feasible vectors nearest to some vectors, one a row."""
        rows = [self._moves.project(self._checked(target)) for target in targets]
        return np.array(rows, dtype=np.int32).reshape(-1, len(self._genes))

    def mutate(
        self,
        vector: Sequence[int] | IndexVector,
        rng: np.random.Generator,
        probability: float,
    ) -> IndexVector:
        """A feasible vector with each gene changed with some probability."""
        return self._moves.mutate(np.asarray(vector), rng, probability)

    def crossover(
        self,
        first: Sequence[int] | IndexVector,
        second: Sequence[int] | IndexVector,
        rng: np.random.Generator,
    ) -> IndexVector:
        """A feasible vector with each gene from either of two."""
        return self._moves.crossover(np.asarray(first), np.asarray(second), rng)

    def neighbors(self, vector: Sequence[int] | IndexVector) -> IndexMatrix:
        """Feasible vectors one move away from a feasible one, each once."""
        return self._moves.neighbors(np.asarray(vector, dtype=np.int32))

    def on(self, *stacks: Stack) -> "DesignSpace":
        """The space of some stacks, all else held at the baseline.

        A parameter that `follows` others is computed from them where these are
        searched and it is not.

        Raises:
            SpecError: A parameter must be held, but there is no baseline.
        """
        return self._viewed(self._view.on(stacks))

    def fix(self, **values: PointValue) -> "DesignSpace":
        """The space with some parameters held at given values.

        Raises:
            UnknownNameError: There is no such parameter.
            SpecError: A value is not among the choices.
        """
        return self._viewed(self._view.fix(values))

    def keeping(self, constraints: Iterable[Constraint]) -> "DesignSpace":
        """The space of those points that keep more constraints.

        Raises:
            UnknownNameError: A constraint is about an unknown name.
            ConsistencyError: No point is left.
        """
        return self._viewed(self._view.keeping(constraints))

    def restrict(self, name: str, values: Iterable[Value]) -> "DesignSpace":
        """The space with fewer choices for a parameter or one of its genes.

        Raises:
            UnknownNameError: There is no such parameter or gene.
            SpecError: A value is not among the choices, or none is left.
        """
        return self._viewed(self._view.restrict(name, tuple(values)))

    def _viewed(self, view: View) -> "DesignSpace":
        return DesignSpace(view.parameter_set, view=view)

    def _checked(self, target: Sequence[float] | Target) -> Target:
        array = np.asarray(target, dtype=np.float64)
        if array.shape != (len(self._genes),):
            raise SpecError(
                f"a vector of this space has {len(self._genes)} entries, "
                f"not the shape {array.shape}"
            )
        if np.isnan(array).any():
            raise SpecError(f"{self.genes[int(np.isnan(array).argmax())]} is NaN")
        return array
