"""An execution graph written out: every node of every device, with what it waits for.

Nothing is shared and nothing repeats: each layer, each micro-batch and each device has
its nodes. A device's nodes are numbered in the order of its programs. Those that keep
its compute stream (all but collectives and sends) follow one upon the other.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import assert_never

from cosmic.simulation.schedule import slots
from cosmic.trace.execution_graph import ExecutionGraph, Program, turns
from cosmic.trace.node import CollectiveNode, ComputeNode, Instruction, Start, Wait


class Direction(enum.Enum):
    """Which way a message goes along the pipeline; the value is the step in stages."""

    FORWARD = 1
    BACKWARD = -1


@dataclass(frozen=True, slots=True)
class Begin:
    """A program may begin: what it needs from another stage is there.

    Attributes:
        receives: Where this comes from, if from anywhere.
    """

    receives: Direction | None


@dataclass(frozen=True, slots=True)
class Await:
    """A collective has ended.

    Attributes:
        group: Who communicated.
    """

    group: str


@dataclass(frozen=True, slots=True)
class Send:
    """A message to the peer of a neighboring stage.

    Attributes:
        direction: Which way.
    """

    direction: Direction


Work = Begin | ComputeNode | CollectiveNode | Await | Send


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One thing that one device does once in a step.

    Attributes:
        device: Which device.
        number: Its place among the nodes of the device.
        turn: Which of the device's programs, in the order of running, it belongs to.
        work: What is done.
        after: What must have ended before, as places in the whole of the nodes; first
            comes what is before it in the compute stream, which a device's first node
            lacks.
    """

    device: int
    number: int
    turn: int
    work: Work
    after: tuple[int, ...]

    @property
    def in_stream(self) -> bool:
        """Whether it keeps the compute stream until it has ended."""
        return not isinstance(self.work, CollectiveNode | Send)


@dataclass(frozen=True, slots=True)
class Expansion:
    """All that a cluster does in a step.

    Attributes:
        nodes: All nodes, device by device.
        first: The place of each device's first node, and the number of all nodes.
    """

    nodes: tuple[Node, ...]
    first: tuple[int, ...]

    def of_device(self, device: int) -> range:
        """The places of a device's nodes."""
        return range(self.first[device], self.first[device + 1])


def stage_of(graph: ExecutionGraph, device: int) -> int:
    """The pipeline stage of a device."""
    return graph.pipeline.position(device)


def expand(graph: ExecutionGraph) -> Expansion:
    """Write out a graph."""
    written = [_Script(graph, stage) for stage in range(len(graph.stages))]
    scripts = [written[stage_of(graph, device)] for device in range(graph.devices)]
    first = (0, *accumulate(len(script.lines) for script in scripts))
    nodes = []
    for device, script in enumerate(scripts):
        peers, stage = graph.pipeline.members(device), stage_of(graph, device)
        for number, line in enumerate(script.lines):
            after = [first[device] + before for before in line.after]
            if line.message is not None:
                peer = peers[(stage - line.message.direction.value) % len(peers)]
                after.append(first[peer] + scripts[peer].sends[line.message])
            node = Node(
                device=device,
                number=number,
                turn=line.turn,
                work=line.work,
                after=tuple(after),
            )
            nodes.append(node)
    return Expansion(tuple(nodes), first)


@dataclass(frozen=True, slots=True)
class Turn:
    """One of the programs that a stage runs, in order.

    Attributes:
        program: Which one.
        direction: Which way it takes its micro-batch; None for what waits for no
            message and sends none: gradients of weights, and what finishes a step.
        micro_batch: Of which micro-batch; the update stands for the forward of one
            more.
        place: The virtual stage, counted in the order of the model.
    """

    program: Program
    direction: Direction | None
    micro_batch: int
    place: int


@dataclass(frozen=True, slots=True)
class _Message:
    """What is sent of one micro-batch to a virtual stage."""

    direction: Direction
    micro_batch: int
    to: int


@dataclass(frozen=True, slots=True)
class _Line:
    """A node as any device of the stage has it; `after` counts from its first one."""

    work: Work
    turn: int
    after: tuple[int, ...]
    message: _Message | None = None


class _Script:
    """Writes down what a device of one stage does in a step."""

    def __init__(self, graph: ExecutionGraph, stage: int) -> None:
        self.lines: list[_Line] = []
        self.sends: dict[_Message, int] = {}
        self._graph = graph
        self._places = len(graph.stages) * graph.chunks
        self._stream: int | None = None  # the last line in the compute stream
        self._turn = 0
        self._tokens: dict[tuple[str, int], int] = {}
        for turn in programs_in_order(graph, stage):
            if turn.direction is not None:
                self._begin(turn.direction, turn)
            for layer, instruction in turns(turn.program):
                self._instruction(layer, instruction)
            if turn.direction is not None:
                self._send(turn.direction, turn)
            self._turn += 1

    def _begin(self, direction: Direction, turn: Turn) -> None:
        """Forward comes from the stage before, backward from the one after."""
        if 0 <= turn.place - direction.value < self._places:
            message = _Message(direction, turn.micro_batch, turn.place)
            self._write(Begin(direction), message=message)
        else:
            self._write(Begin(None))

    def _instruction(self, layer: int, instruction: Instruction) -> None:
        match instruction:
            case ComputeNode():
                self._write(instruction)
            case Start(node, token):
                self._tokens[token.label, layer + token.offset] = len(self.lines)
                self._write(node)
            case Wait(token):
                collective = self._tokens.pop((token.label, layer + token.offset))
                awaited = self.lines[collective].work
                assert isinstance(awaited, CollectiveNode)
                self._write(Await(awaited.group), collective)
            case _:
                assert_never(instruction)

    def _send(self, direction: Direction, turn: Turn) -> None:
        """After the program, and after what went the same way before."""
        to = receiver(self._graph, turn)
        if to is None:
            return
        before = [n for m, n in self.sends.items() if m.direction is direction]
        message = _Message(direction, turn.micro_batch, to)
        self.sends[message] = len(self.lines)
        self._write(Send(direction), *before[-1:])

    def _write(self, work: Work, *others: int, message: _Message | None = None) -> None:
        stream = () if self._stream is None else (self._stream,)
        if not isinstance(work, CollectiveNode | Send):
            self._stream = len(self.lines)
        self.lines.append(_Line(work, self._turn, (*stream, *others), message))


def receiver(graph: ExecutionGraph, turn: Turn) -> int | None:
    """The virtual stage that a turn sends to; None if it sends nothing in this step.

    What an update of the last stage hands on to the next part of the model is received
    in the next step.
    """
    if turn.direction is None:
        return None
    updates = not graph.forward_only and turn.micro_batch == graph.micro_batches
    places = len(graph.stages) * (1 if updates else graph.chunks)
    to = turn.place + turn.direction.value
    return to if 0 <= to < places else None


def programs_in_order(graph: ExecutionGraph, stage: int) -> Iterator[Turn]:
    """What a stage runs, in order. A forward pass has its forwards and nothing else."""
    programs, last = graph.stages[stage], graph.micro_batches - 1
    if graph.forward_only:
        for micro_batch in range(graph.micro_batches):
            yield Turn(programs.forward, Direction.FORWARD, micro_batch, stage)
        return
    count, parts = len(graph.stages), programs.parts
    order = slots(graph.schedule, count, stage, graph.micro_batches, graph.chunks)
    for slot in order:
        part, place = parts[slot.chunk], slot.chunk * count + stage
        if slot.weights:
            ended = slot.micro_batch == last
            put_off = (
                programs.last_weight_backward if ended else programs.weight_backward
            )
            yield Turn(put_off, None, slot.micro_batch, place)
        elif slot.forward:
            yield Turn(part.forward, Direction.FORWARD, slot.micro_batch, place)
        elif slot.micro_batch < last:
            yield Turn(part.backward, Direction.BACKWARD, slot.micro_batch, place)
        else:
            yield Turn(part.last_backward, Direction.BACKWARD, last, place)
    if programs.finish:
        yield Turn(programs.finish, None, last, stage)
    yield Turn(programs.update, Direction.FORWARD, graph.micro_batches, stage)
