"""WarmStart: an agent that is first shown some designs, and goes on from there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from typing_extensions import override

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.explanation import nearest
from cosmic.search.agent import Agent
from cosmic.search.trial import Trial


class WarmStart(Agent):
    """Asks for given designs first, then for what another agent asks for.

    That agent is told all trials, so it learns from the first ones before it has asked
    for any. A design that is none of the space's is replaced by the feasible one
    nearest to it; one that comes twice is asked for once.

    Args:
        agent: Who goes on; it has not asked yet.
        space: In which it searches.
        designs: To begin with, in their order.
    """

    def __init__(
        self, agent: Agent, space: DesignSpace, designs: Iterable[Mapping[str, Any]]
    ) -> None:
        self._agent = agent
        self._first = start_points(space, designs)
        self._asked = 0

    @override
    def ask(self, count: int) -> Sequence[DesignPoint]:
        points = self._first[self._asked : self._asked + count]
        self._asked += len(points)
        return points or self._agent.ask(count)

    @override
    def tell(self, trials: Sequence[Trial]) -> None:
        self._agent.tell(trials)


def start_points(
    space: DesignSpace, designs: Iterable[Mapping[str, Any]]
) -> tuple[DesignPoint, ...]:
    """The points of a space that are nearest to some designs, each once.

    Args:
        space: Where to look.
        designs: Values by name; those of parameters that the space does not search are
            passed over.
    """
    found = [nearest(space, design, count=1)[0] for design in designs]
    return tuple(dict.fromkeys(found))
