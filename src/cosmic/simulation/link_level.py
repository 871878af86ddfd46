"""One collective, message by message, over every link: what the fast path answers to.

The fast path gives a phase three coefficients, found by adding up what each step lays
on each link, and lets phases follow each other. Here nothing is added up: messages set
out when their sender is ready, share links by max-min fairness, and whatever takes long
takes long. Where all devices of a phase do the same at the same time both say the same;
where they drift apart, this is what would happen and the fast path approximates it.

It takes from the fast path the plan alone: which chunk goes through which phases with
which algorithm. It is slow, and meant for tests and for looking closely at one
collective of up to some hundred devices.
"""

from dataclasses import dataclass, replace

from cosmic.errors import SpecError
from cosmic.simulation.link_machine import LinkMachine
from cosmic.simulation.link_network import Link, LinkNetwork
from cosmic.simulation.link_phases import (
    LinkPhase,
    link_phases,
    messages,
    transfer_phase,
)
from cosmic.simulation.link_traffic import Traffic
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind
from cosmic.units import Bytes, Seconds

MOST_DEVICES = 512
MOST_MESSAGES = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLevelResult:
    """What one collective does to a network that is otherwise idle.

    Attributes:
        seconds: From its start on all devices to its end on the last one.
        finish: Its end on each device.
        links: All links of the network.
        carried: Bytes that crossed each link.
    """

    seconds: Seconds
    finish: tuple[Seconds, ...]
    links: tuple[Link, ...]
    carried: tuple[Bytes, ...]

    @property
    def utilization(self) -> tuple[float, ...]:
        """What each link carried over what it could have carried in that time."""
        if self.seconds == 0:
            return (0.0,) * len(self.links)
        return tuple(
            carried / (link.bandwidth * self.seconds)
            for link, carried in zip(self.links, self.carried, strict=True)
        )


def link_level_time(
    kind: CollectiveKind, nbytes: Bytes, group: Group, system: System
) -> LinkLevelResult:
    """Play one collective of all groups of an axis, alone on the network.

    Args:
        kind: The collective.
        nbytes: The buffer of one device, as `CollectiveKind` counts it.
        group: The groups, which fill the cluster.
        system: Network, delays and policy.

    Raises:
        SpecError: There are too many devices or messages, an algorithm does not exist
            for this kind or for the group's extent in a dimension, or the policy has
            protocols.
        ConsistencyError: The group does not factor over the dimensions.
    """
    _check(system)
    return _played(link_phases(kind, nbytes, group, system), system)


def link_level_transfer(
    pair: tuple[int, int], nbytes: Bytes, group: Group, system: System
) -> LinkLevelResult:
    """Send from one position of every group to another one, alone on the network.

    Args:
        pair: Positions of the sender and of the receiver.
        nbytes: The size of each message.
        group: The groups, which fill the cluster.
        system: Network and delays; the receiver takes one endpoint delay.

    Raises:
        SpecError: There are too many devices, or the policy has protocols.
    """
    _check(system)
    sending = replace(system, policy=replace(system.policy, endpoint_delay=0.0))
    sent = _played(((transfer_phase(pair, nbytes, group, sending),),), sending)
    delay = system.policy.endpoint_delay
    return replace(
        sent,
        seconds=sent.seconds + delay,
        finish=tuple(seconds + delay for seconds in sent.finish),
    )


def _check(system: System) -> None:
    if system.cluster.devices > MOST_DEVICES:
        raise SpecError(
            f"link-level simulation is for at most {MOST_DEVICES} devices, "
            f"not {system.cluster.devices}; use another simulator"
        )
    if system.policy.protocols:
        names = ", ".join(protocol.name for protocol in system.policy.protocols)
        raise SpecError(
            "link-level simulation knows no protocols of communication libraries, "
            f"but the collective policy has {names}"
        )


def _played(
    chunks: tuple[tuple[LinkPhase, ...], ...], system: System
) -> LinkLevelResult:
    count = messages(chunks)
    if count > MOST_MESSAGES:
        raise SpecError(
            f"link-level simulation is for at most {MOST_MESSAGES} messages, but this "
            f"collective sends {count}; take fewer devices or chunks"
        )
    network = LinkNetwork(system.cluster.topology.dimensions, system.strides)
    traffic = Traffic(network)
    machine = LinkMachine(traffic, chunks, system)
    machine.play()
    return LinkLevelResult(
        seconds=max(machine.finish),
        finish=tuple(machine.finish),
        links=network.links,
        carried=tuple(traffic.carried.tolist()),
    )
