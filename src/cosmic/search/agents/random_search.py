"""RandomSearch: uniform over the feasible points."""

from collections.abc import Sequence
from itertools import islice
from typing import ClassVar

from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.search.agent import Agent
from cosmic.search.agents.unseen import UnseenPoints, generator
from cosmic.search.trial import Trial


class RandomSearch(Agent):
    """Asks for feasible points drawn uniformly, none of them twice, until all are.

    It learns nothing from trials. The sequence of points does not depend on how
    many are asked for at a time.

    Args:
        space: Where to look.
        seed: From which the points are drawn.
    """

    learns: ClassVar[bool] = False

    def __init__(self, space: DesignSpace, seed: int = 0) -> None:
        unseen = UnseenPoints(space, generator(seed))
        self._points = (point for _, point in iter(unseen.draw, None))

    @override
    def ask(self, count: int) -> Sequence[DesignPoint]:
        return list(islice(self._points, count))

    @override
    def tell(self, trials: Sequence[Trial]) -> None:
        pass
