"""Exhaustive: every point once, in order."""

from collections.abc import Sequence
from itertools import islice
from typing import ClassVar

from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.search.agent import Agent
from cosmic.search.trial import Trial


class Exhaustive(Agent):
    """Asks for every feasible point once, in the space's own order, then for none.

    It learns nothing from trials. A space of any size will do: the budget of the
    study ends the search, not the agent.

    Args:
        space: Where to look.
        seed: Taken as every agent takes one, and not used.
    """

    learns: ClassVar[bool] = False

    def __init__(self, space: DesignSpace, seed: int = 0) -> None:
        del seed  # there is nothing to draw
        self._points = map(space.point, space.enumerate())

    @override
    def ask(self, count: int) -> Sequence[DesignPoint]:
        return list(islice(self._points, count))

    @override
    def tell(self, trials: Sequence[Trial]) -> None:
        pass
