"""A communication library: its protocols by kind of link, and what it chooses among."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cosmic.collective.protocol import Protocol
from cosmic.errors import SpecError, UnknownNameError
from cosmic.trace.node import CollectiveKind
from cosmic.units import BytesPerSecond, Seconds


@dataclass(frozen=True, slots=True)
class LinkCost:
    """What a protocol costs on one kind of link.

    Attributes:
        step_delay: Time of each step that bytes do not explain.
        bandwidth_fraction: What it gets of the link's bandwidth.
        bandwidth_limit: What a device sends at most.
    """

    step_delay: Seconds
    bandwidth_fraction: float
    bandwidth_limit: BytesPerSecond = float("inf")


_ABSENT = LinkCost(0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryProtocol:
    """A protocol on every kind of link that it works on.

    Attributes:
        name: As the library calls it.
        launch_delay: Time from the call to the first message.
        links: Its cost on each kind of link; it does not exist on others.
        algorithms: Those that it carries and that no other protocol does.
        buffered: Whether what arrives lies in a buffer of the protocol first.
    """

    name: str
    launch_delay: Seconds
    links: Mapping[str, LinkCost]
    algorithms: tuple[str, ...] = ()
    buffered: bool = True

    def on(self, links: Sequence[str]) -> Protocol:
        """The protocol on a network with these kinds of links, innermost first."""
        costs = [self.links.get(link, _ABSENT) for link in links]
        return Protocol(
            name=self.name,
            launch_delay=self.launch_delay,
            step_delays=tuple(cost.step_delay for cost in costs),
            bandwidth_fractions=tuple(cost.bandwidth_fraction for cost in costs),
            bandwidth_limits=tuple(cost.bandwidth_limit for cost in costs),
            algorithms=self.algorithms,
            buffered=self.buffered,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """What a communication library can do, whatever the network.

    Attributes:
        name: Of the library and its version or generation of devices.
        protocols: Its protocols.
        algorithms: For each kind of collective and each kind of link, the algorithms
            among which the library chooses.
    """

    name: str
    protocols: tuple[LibraryProtocol, ...]
    algorithms: Mapping[CollectiveKind, Mapping[str, tuple[str, ...]]]

    @property
    def links(self) -> tuple[str, ...]:
        """The kinds of links that it knows, in alphabetical order."""
        return tuple(sorted({link for p in self.protocols for link in p.links}))

    def protocols_on(self, links: Sequence[str]) -> tuple[Protocol, ...]:
        """Its protocols on a network with these kinds of links, innermost first.

        Raises:
            UnknownNameError: It knows no such kind of link.
        """
        for link in links:
            if link not in self.links:
                raise UnknownNameError(
                    f"kind of link in library {self.name}", link, self.links
                )
        found = tuple(protocol.on(links) for protocol in self.protocols)
        return tuple(p for p in found if any(p.bandwidth_fractions))

    def choices(self, kind: CollectiveKind, link: str) -> tuple[str, ...]:
        """The algorithms among which it chooses on one kind of link.

        Raises:
            SpecError: It has none for this.
        """
        found = self.algorithms.get(kind, {}).get(link, ())
        if not found:
            raise SpecError(
                f"library {self.name} has no algorithm for {kind.value} over {link}"
            )
        return found
