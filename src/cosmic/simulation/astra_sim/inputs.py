"""All that a run is given beside the traces."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from cosmic.errors import ConsistencyError, SpecError
from cosmic.simulation.astra_sim.network_input import NetworkInput
from cosmic.simulation.astra_sim.system_input import SystemInput


class MemoryKind(enum.Enum):
    """Where remote memory is, as the memory file names it."""

    NONE = "NO_MEMORY_EXPANSION"
    PER_NODE = "PER_NODE_MEMORY_EXPANSION"
    PER_RANK = "PER_NPU_MEMORY_EXPANSION"
    POOL = "MEMORY_POOL"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryInput:
    """A remote memory file.

    Attributes:
        kind: Where the memory is: with each rank, or one for all, which serves one
            access at a time.
        latency: Of an access, in ns.
        bandwidth: In bytes a ns.

    Raises:
        SpecError: A number is out of range.
    """

    kind: MemoryKind = MemoryKind.NONE
    latency: int = 0
    bandwidth: int = 0

    def __post_init__(self) -> None:
        if self.latency < 0 or self.bandwidth < 0:
            raise SpecError(
                "remote-mem-latency and remote-mem-bw must not be negative, but are "
                f"{self.latency} and {self.bandwidth}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Network, system, groups, memory and options of a run.

    Attributes:
        network: The network.
        system: The system.
        groups: Ranks of each communicator group, in order, by its number.
        memory: Remote memory.
        queues: Queues of each dimension.
        rendezvous: Whether receivers ask for messages before they are sent.

    Raises:
        SpecError: A number is out of range, or a group names a rank twice.
        ConsistencyError: A group names a rank that the network has not.
    """

    network: NetworkInput
    system: SystemInput
    groups: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    memory: MemoryInput = MemoryInput()
    queues: int = 1
    rendezvous: bool = False

    def __post_init__(self) -> None:
        if self.queues < 1:
            raise SpecError(f"num-queues-per-dim must be at least 1, not {self.queues}")
        for number, members in self.groups.items():
            if number < 1:
                raise SpecError(f"group {number}: numbers of groups begin at 1")
            if len(set(members)) < len(members):
                raise SpecError(f"group {number} names a rank twice")
            wrong = [rank for rank in members if not 0 <= rank < self.network.ranks]
            if wrong:
                raise ConsistencyError(
                    f"group {number} names rank {wrong[0]}, but the network has "
                    f"{self.network.ranks} ranks"
                )
