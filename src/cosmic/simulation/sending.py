"""Time of a phase over the protocols of a communication library.

The library adds up what arrives while more is on its way, so a sum costs no time of its
own, but for the last slice: nothing hides its way through memory. A phase of s steps
whose busiest link takes W seconds at full bandwidth costs, with the protocol's launch
delay A, step delay E' and share f of the bandwidth,

    t = A + s E' + hops L + W / f + a d / (n M)

for a buffer d on n devices with memory bandwidth M, where the last slice is read from
the protocol's buffer and written, a = 2, or added up, a = 3. The launch counts once, in
a collective's first phase: of c chunks each bears its share, or as many together as are
under way at once. Of several protocols a phase takes that with which all its chunks
are through first, much as the tuner of the library chooses.

Reference:
    Z. Hu et al., "Demystifying NCCL: An in-depth analysis of GPU communication
    protocols and algorithms", arXiv 2507.04786, 2025, for protocols and their steps.
"""

from dataclasses import dataclass

from cosmic.collective.plan import Phase
from cosmic.collective.policy import CollectivePolicy
from cosmic.collective.protocol import Protocol, protocols_for
from cosmic.trace.node import CollectiveKind
from cosmic.units import BytesPerSecond, Seconds

_PLACING = 2  # accesses to memory: read from a buffer, written to its place
_ADDING = 3  # both operands read, the sum written
_MESSAGE = "direct"  # the algorithm of which a message is a part


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What a phase asks of links and memory, whatever the protocol.

    Attributes:
        steps: How many, one after the other.
        transfer: Time that the busiest link takes at its full bandwidth.
        bandwidth: What a device can send into the dimension.
        last_slice: Time that one access to the last slice takes in memory.
        launches: How many launch delays the phase bears.
    """

    steps: int
    transfer: Seconds
    bandwidth: BytesPerSecond
    last_slice: Seconds
    launches: float


@dataclass(frozen=True, slots=True)
class Sending:
    """A phase as one protocol carries it out.

    Attributes:
        protocol: Which.
        transfer: Time that the busiest link is busy.
        delay: What comes on top.
    """

    protocol: Protocol
    transfer: Seconds
    delay: Seconds


def launches(policy: CollectivePolicy) -> float:
    """How many launch delays the first phase of each chunk bears.

    >>> def names(chunks: int, active: int) -> CollectivePolicy:
    ...     ring = ("ring",)
    ...     return CollectivePolicy(
    ...         all_reduce=ring,
    ...         all_gather=ring,
    ...         reduce_scatter=ring,
    ...         all_to_all=ring,
    ...         chunks=chunks,
    ...         active_chunks=active,
    ...     )
    >>> launches(names(chunks=4, active=1)), launches(names(chunks=4, active=8))
    (0.25, 1.0)
    """
    return min(policy.active_chunks, policy.chunks) / policy.chunks


def fastest_sending(policy: CollectivePolicy, phase: Phase, wire: Wire) -> Sending:
    """The protocol with which all chunks pass a phase first; of equals the first one.

    Not that which ends one chunk first: a protocol that wastes bandwidth makes the
    other chunks wait for the links.

    Raises:
        SpecError: No protocol of the policy carries the phase's algorithm.
    """
    return _fastest(policy, phase, wire, policy.chunks)


def _fastest(
    policy: CollectivePolicy, phase: Phase, wire: Wire, chunks: int
) -> Sending:
    """The protocol with which so many chunks are through first."""
    at_once = min(policy.active_chunks, chunks)

    def until_the_last(sending: Sending) -> Seconds:
        """Chunks have the links in turn, and so many are there at once."""
        links = chunks * sending.transfer + sending.delay
        return max(links, chunks / at_once * (sending.transfer + sending.delay))

    protocols = protocols_for(policy.protocols, phase.algorithm, phase.dimension)
    sendings = (_sending(protocol, phase, wire) for protocol in protocols)
    return min(sendings, key=until_the_last)


def message_time(
    policy: CollectivePolicy,
    dimension: int,
    transfer: Seconds,
    bandwidth: BytesPerSecond,
    launched: float,
) -> Seconds:
    """Time of a message between two devices, which protocols of `direct` carry.

    Args:
        policy: Whose protocols; without any, the message takes its transfer.
        dimension: Which one it crosses.
        transfer: Time that the busiest link takes at its full bandwidth.
        bandwidth: What a device can send into the dimension.
        launched: How many launch delays it bears.

    Raises:
        SpecError: No protocol of the policy carries it.
    """
    if not policy.protocols:
        return transfer
    phase = Phase(0, dimension, CollectiveKind.ALL_TO_ALL, _MESSAGE, 1.0)
    wire = Wire(
        steps=1,
        transfer=transfer,
        bandwidth=bandwidth,
        last_slice=0.0,
        launches=launched,
    )
    sending = _fastest(policy, phase, wire, 1)
    return sending.transfer + sending.delay


def _sending(protocol: Protocol, phase: Phase, wire: Wire) -> Sending:
    delay = (
        wire.launches * protocol.launch_delay
        + wire.steps * protocol.step_delays[phase.dimension]
    )
    if protocol.buffered:
        adds = phase.kind is CollectiveKind.REDUCE_SCATTER
        delay += (_ADDING if adds else _PLACING) * wire.last_slice
    share = protocol.share(phase.dimension, wire.bandwidth)
    return Sending(protocol, wire.transfer / share, delay)
