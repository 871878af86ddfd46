"""How a communication library moves the bytes of a step: its protocols.

A library such as NCCL can send the same messages in several ways. One with a flag
beside every word is quick to start and wastes half of the link; one with memory fences
fills the link and is slow at every step. The library takes the one that is fastest for
the size at hand, and so does a phase here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cosmic.errors import SpecError
from cosmic.units import BytesPerSecond, Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """One way to send, and what it costs in each dimension of the network.

    Attributes:
        name: As the library calls it.
        launch_delay: Time from the call to the first message, once a collective.
        step_delays: Time of each step of an algorithm that bytes do not explain, one
            for each dimension; what the wire itself takes is in it.
        bandwidth_fractions: What the protocol gets of a link's bandwidth, one for each
            dimension; 0 where it does not exist.
        bandwidth_limits: What a device sends at most, one for each dimension; without
            any, there is no limit.
        algorithms: Those that it carries and that no other protocol does; none of them
            for one that carries all the rest.
        buffered: Whether what arrives lies in a buffer of the protocol first.

    Raises:
        SpecError: A delay is negative, a fraction is not from 0 to 1, or their numbers
            differ.
    """

    name: str
    launch_delay: Seconds
    step_delays: tuple[Seconds, ...]
    bandwidth_fractions: tuple[float, ...]
    bandwidth_limits: tuple[BytesPerSecond, ...] = ()
    algorithms: tuple[str, ...] = ()
    buffered: bool = True

    def __post_init__(self) -> None:
        if not self.bandwidth_limits:
            unlimited = (float("inf"),) * len(self.bandwidth_fractions)
            object.__setattr__(self, "bandwidth_limits", unlimited)
        self._check_bandwidth()
        for delay in (self.launch_delay, *self.step_delays):
            if not 0 <= delay < float("inf"):
                raise SpecError(
                    f"the delays of protocol {self.name!r} must be finite and not "
                    f"negative, but one is {delay} s"
                )
        columns = self.step_delays, self.bandwidth_fractions, self.bandwidth_limits
        if len({len(column) for column in columns}) > 1:
            raise SpecError(
                f"protocol {self.name!r} needs a step delay, a bandwidth fraction and "
                f"a limit for every dimension, but has "
                f"{', '.join(str(len(column)) for column in columns)}"
            )

    def _check_bandwidth(self) -> None:
        for fraction in self.bandwidth_fractions:
            if not 0 <= fraction <= 1:
                raise SpecError(
                    f"protocol {self.name!r} gets a fraction of the bandwidth from 0 "
                    f"to 1, not {fraction}"
                )
        for limit in self.bandwidth_limits:
            if not limit > 0:
                raise SpecError(
                    f"protocol {self.name!r} limits a device's bandwidth to more than "
                    f"0, not to {limit} B/s"
                )

    @property
    def dimensions(self) -> int:
        """How many dimensions it speaks of."""
        return len(self.step_delays)

    def innermost(self, dimensions: int) -> "Protocol":
        """The same on the first so many dimensions."""
        return replace(
            self,
            step_delays=self.step_delays[:dimensions],
            bandwidth_fractions=self.bandwidth_fractions[:dimensions],
            bandwidth_limits=self.bandwidth_limits[:dimensions],
        )

    def share(self, dimension: int, bandwidth: BytesPerSecond) -> float:
        """What it gets of a device's bandwidth in a dimension, limit and all."""
        limit = self.bandwidth_limits[dimension] / bandwidth
        return min(self.bandwidth_fractions[dimension], limit)


def protocols_for(
    protocols: Sequence[Protocol], algorithm: str, dimension: int
) -> tuple[Protocol, ...]:
    """The protocols that an algorithm may use in a dimension.

    Those that name the algorithm, or else those that name none.

    Raises:
        SpecError: There are protocols, but none for this.

    >>> flags = Protocol(
    ...     name="LL", launch_delay=0.0, step_delays=(0.0,), bandwidth_fractions=(0.5,)
    ... )
    >>> [protocol.name for protocol in protocols_for([flags], "ring", 0)]
    ['LL']
    """
    own = [p for p in protocols if algorithm in p.algorithms]
    carrying = own or [p for p in protocols if not p.algorithms]
    found = tuple(p for p in carrying if p.bandwidth_fractions[dimension] > 0)
    if protocols and not found:
        raise SpecError(
            f"no protocol carries algorithm {algorithm!r} in dimension {dimension}; "
            f"there are {', '.join(p.name for p in protocols)}"
        )
    return found
