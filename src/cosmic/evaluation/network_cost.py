"""What a network costs, in dollars.

The price of a dimension depends on its level: dimensions of a network with D of them
take the last D of four levels, from dies in one package out to pods. A block is one
instance of a dimension: k devices with links of b GB/s, which costs

    ring               2 k L b
    fully connected    k (k - 1) L b
    switch             2 k L b + k S b + k N b
    mesh               2 (k - 1) L b
    hypercube          k log2(k) L b

for link price L, switch price S and price N of a network card where the level has one:
every link is paid for in each of its directions. The last two lines extend the cited
model by the same rule. Where the bandwidths of the two directions differ, b is their
mean, ports and cards included. Of an oversubscribed switch the ports are priced and the
core is not, so that it costs as much as one with a full core.

Reference:
    The network cost model of the COSMIC experiments, arXiv 2505.15020.
"""

from dataclasses import dataclass
from typing import assert_never

from cosmic.errors import ConsistencyError
from cosmic.network.dimension import Dimension
from cosmic.network.topology import Topology
from cosmic.network.wiring import Shape, links_per_device
from cosmic.units import GB, Dollars


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelPrices:
    """Prices at one level, in dollars for each GB/s.

    Attributes:
        name: The level.
        link: Of a link, for one direction.
        switch: Of a switch's port; None where no switch is priced.
        network_card: Of the card that a switch's port needs; 0 for none.
    """

    name: str
    link: float
    switch: float | None = None
    network_card: float = 0.0


@dataclass(frozen=True, slots=True)
class NetworkPrices:
    """A price list.

    Attributes:
        levels: Innermost first; a network of one dimension takes the second, one of
            two the second and the fourth, one of three the last three.
    """

    levels: tuple[LevelPrices, ...]

    def level(self, dimension: int, dimensions: int) -> LevelPrices:
        """Prices of one dimension of a network that has so many.

        Raises:
            ConsistencyError: The network has more dimensions than there are levels.
        """
        chosen = _LEVELS_BY_DIMENSIONS.get(dimensions, ())
        if not chosen or max(chosen) > len(self.levels):
            raise ConsistencyError(
                f"no prices for a network of {dimensions} dimensions; "
                f"there are {len(self.levels)} levels"
            )
        return self.levels[chosen[dimension] - 1]


_LEVELS_BY_DIMENSIONS = {1: (2,), 2: (2, 4), 3: (2, 3, 4), 4: (1, 2, 3, 4)}

PAPER_PRICES = NetworkPrices(
    (
        LevelPrices(name="inter-chiplet", link=2.0),
        LevelPrices(name="inter-package", link=4.0, switch=13.0),
        LevelPrices(name="inter-node", link=4.0, switch=13.0),
        LevelPrices(name="inter-pod", link=7.8, switch=18.0, network_card=31.6),
    )
)


def network_cost(topology: Topology, prices: NetworkPrices) -> Dollars:
    """The whole network's price.

    Raises:
        ConsistencyError: A switch stands at a level where none is priced, or there are
            more dimensions than levels.
    """
    total = 0.0
    dimensions = len(topology.dimensions)
    for index, dimension in enumerate(topology.dimensions):
        if dimension.size == 1:
            continue
        level = prices.level(index, dimensions)
        blocks = topology.devices // dimension.size
        total += blocks * block_cost(index, dimension, level)
    return total


def block_cost(index: int, dimension: Dimension, level: LevelPrices) -> Dollars:
    """The price of one instance of a dimension.

    Raises:
        ConsistencyError: It is a switch, and the level has no price of one.
    """
    size, shape = dimension.size, dimension.shape
    bandwidth = dimension.link_bandwidth * (1 + dimension.asymmetry) / 2 / GB
    match shape:
        case Shape.RING | Shape.FULLY_CONNECTED | Shape.HYPERCUBE:
            return size * links_per_device(shape, size) * level.link * bandwidth
        case Shape.MESH:
            return 2 * (size - 1) * level.link * bandwidth
        case Shape.SWITCH:
            if level.switch is None:
                raise ConsistencyError(
                    f"dimension {index} is a Switch, but at the {level.name} level "
                    f"none is priced; choose another shape there or price it"
                )
            per_port = 2 * level.link + level.switch + level.network_card
            return size * per_port * bandwidth
        case _:
            assert_never(shape)
