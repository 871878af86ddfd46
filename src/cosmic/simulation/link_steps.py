"""The steps of a phase: what each device of a group does, message by message.

Each device goes by itself. In a step it takes an endpoint delay and sends all its
messages; when these have left and it has received those that it awaits, it adds them up
and goes on to the next step. After the last one it takes another endpoint delay to take
up what came. A message crosses all links of its way at once, with its fair share of
them, and is there when it has crossed them and the latency of the way has passed.

A switch that adds up or copies passes on what has come from all senders while the rest
is still coming, so that an answer is there when all has come up, all of it has come
down, and the latency up and down has passed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from cosmic.simulation.link_network import Way
from cosmic.simulation.link_phases import LinkPhase
from cosmic.simulation.link_traffic import Traffic
from cosmic.system.system import System
from cosmic.units import Bytes, Seconds


@dataclass(slots=True, eq=False)
class Part:
    """One device's part of a phase.

    Attributes:
        device: Who.
        rank: Its place among those who pass the phase together.
        phase: What it asks of them.
        end: What happens when the device has done its part.
        fellows: The parts of all ranks.
        missing: Messages that are still to come, by step.
        step: Which step the device is in.
        leaving: Messages of its own in that step that have not left yet.
    """

    device: int
    rank: int
    phase: LinkPhase
    end: Callable[[Seconds], None]
    fellows: "Sequence[Part]" = ()
    missing: list[int] = field(default_factory=list)
    step: int = -1
    leaving: int = 0


@dataclass(slots=True, eq=False)
class _Message:
    """A message to a step of another device's part.

    Attributes:
        source: Whose it is.
        destination: Who awaits it.
        step: In which step.
        legs: What is left of its way; the first leg is under way.
        nbytes: Its size.
        leaving: Ways of this leg that it has not crossed yet.
        coming: Ways of this leg by which it has not come yet, latency and all.
    """

    source: Part
    destination: Part
    step: int
    legs: tuple[tuple[Way, ...], ...]
    nbytes: Bytes
    leaving: int = 0
    coming: int = 0


@dataclass(slots=True, eq=False)
class _Meeting:
    """One step of a group at a switch that adds up or copies.

    Attributes:
        step: Which step.
        absent: Senders whose message has not set out yet.
        rising: Senders whose message has not come up yet.
        descended: Receivers whose answer waits for what is still rising.
    """

    step: int
    absent: int
    rising: int
    descended: list[Part] = field(default_factory=list)


class Steps:
    """Plays phases on links.

    Args:
        traffic: The links, and the clock.
        system: Delays and the speed of sums.
    """

    def __init__(self, traffic: Traffic, system: System) -> None:
        self._traffic, self._network = traffic, traffic.network
        self._delay = system.policy.endpoint_delay
        self._memory = system.cluster.device.memory_bandwidth
        self._meetings: dict[tuple[Part, int], _Meeting] = {}

    def begin(self, parts: Sequence[Part], now: Seconds) -> None:
        """Let all ranks of a phase begin."""
        for part in parts:
            part.fellows = parts
            part.missing = [moves.expected[part.rank] for moves in part.phase.moves]
        for part in parts:
            self._enter(part, now)

    def _enter(self, part: Part, now: Seconds) -> None:
        """A device goes on to the next step; after the last it is done."""
        part.step += 1
        if part.step == len(part.phase.moves):
            self._traffic.at(now + self._delay, part.end)
            return
        moves = part.phase.moves[part.step]
        rises = moves.up[part.rank] > 0 if moves.up else False
        part.leaving = len(moves.sends[part.rank]) + rises
        if part.leaving:
            send = self._send_up if rises else self._send
            self._traffic.at(now + self._delay, partial(send, part))
        self._go_on_if_complete(part, now)

    def _go_on_if_complete(self, part: Part, now: Seconds) -> None:
        """Add up what a step has brought: a sum reads two operands and writes one."""
        if part.missing[part.step] or part.leaving:
            return
        nbytes = part.phase.nbytes * part.phase.moves[part.step].added[part.rank]
        self._traffic.at(now + 3 * nbytes / self._memory, partial(self._enter, part))

    def _left(self, part: Part, now: Seconds) -> None:
        """One of the messages of a device's present step has left."""
        part.leaving -= 1
        self._go_on_if_complete(part, now)

    def _receive(self, part: Part, step: int, now: Seconds) -> None:
        """One of the messages that a device awaits in a step is there."""
        part.missing[step] -= 1
        if part.step == step:
            self._go_on_if_complete(part, now)

    def _send(self, part: Part, _: Seconds) -> None:
        """All messages of a device's step set out."""
        for rank, fraction in part.phase.moves[part.step].sends[part.rank]:
            receiver = part.fellows[rank]
            legs = self._network.legs(part.device, receiver.device)
            nbytes = part.phase.nbytes * fraction
            self._set_out(_Message(part, receiver, part.step, legs, nbytes))

    def _set_out(self, message: _Message) -> None:
        """A message begins the first of the legs that are left."""
        ways = message.legs[0]
        message.leaving = message.coming = len(ways)
        for way in ways:
            nbytes = message.nbytes * way.share
            self._traffic.flow(way, nbytes, partial(self._cross, message, way))

    def _cross(self, message: _Message, way: Way, now: Seconds) -> None:
        """The last byte on one way has left; its latency is still to pass."""
        self._traffic.at(now + way.latency, partial(self._come, message))
        message.leaving -= 1
        if message.leaving == 0 and len(message.legs) == 1:
            self._left(message.source, now)

    def _come(self, message: _Message, now: Seconds) -> None:
        """A message has come by one way."""
        message.coming -= 1
        if message.coming:
            return
        message.legs = message.legs[1:]
        if message.legs:
            self._set_out(message)
        else:
            self._receive(message.destination, message.step, now)

    def _send_up(self, part: Part, _: Seconds) -> None:
        """A message to the switch sets out; with the last one so do the answers."""
        moves = part.phase.moves[part.step]
        senders = sum(fraction > 0 for fraction in moves.up)
        key = part.fellows[0], part.step
        meeting = self._meetings.setdefault(key, _Meeting(part.step, senders, senders))
        way = self._network.up(part.phase.dimension, part.device)
        nbytes = part.phase.nbytes * moves.up[part.rank]
        self._traffic.flow(way, nbytes, partial(self._rise, meeting, part))
        meeting.absent -= 1
        if meeting.absent == 0:
            del self._meetings[key]
            for receiver in part.fellows:
                self._send_down(meeting, receiver)

    def _send_down(self, meeting: _Meeting, receiver: Part) -> None:
        fraction = receiver.phase.moves[meeting.step].down[receiver.rank]
        if fraction > 0:
            way = self._network.down(receiver.phase.dimension, receiver.device)
            nbytes = receiver.phase.nbytes * fraction
            self._traffic.flow(way, nbytes, partial(self._descend, meeting, receiver))

    def _rise(self, meeting: _Meeting, part: Part, now: Seconds) -> None:
        """The last byte of a message to the switch has left."""
        meeting.rising -= 1
        if meeting.rising == 0:
            for receiver in meeting.descended:
                self._answer(meeting, receiver, now)
        self._left(part, now)

    def _descend(self, meeting: _Meeting, receiver: Part, now: Seconds) -> None:
        """The last byte of an answer could leave, had all come up."""
        if meeting.rising:
            meeting.descended.append(receiver)
        else:
            self._answer(meeting, receiver, now)

    def _answer(self, meeting: _Meeting, receiver: Part, now: Seconds) -> None:
        """An answer has left: the latency up and down is still to pass."""
        dimension, device = receiver.phase.dimension, receiver.device
        up = self._network.up(dimension, device)
        down = self._network.down(dimension, device)
        arrival = now + up.latency + down.latency
        self._traffic.at(arrival, partial(self._receive, receiver, meeting.step))
