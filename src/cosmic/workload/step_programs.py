"""What a pipeline stage does in a step, and how gradients and weights travel.

The units of a stage (embedding, layers, head) are strung together, with what data
parallelism adds between them:

* sharding 0: each unit's gradients are all-reduced as soon as the last backward has
  them; the next forward of the unit waits for them and updates its weights first;
* sharding 1 and 2: they are reduce-scattered, and the updated weights all-gathered, one
  unit ahead of their use;
* sharding 3: weights are gathered `prefetch` units ahead, in every forward and
  backward, and gradients are reduce-scattered as they come; a pass ends when these have
  ended.

Where shards are held in copies, a unit's gradients are reduce-scattered over its shards
and then all-reduced over its copies, once a step. A device cannot hand over the second
before the first has ended, so it does so one unit later, and waits if it must.

Without `gradient_overlap`, gradients travel when the last backward has ended; then
comes the optimizer, then the weights travel, and then the next forward begins. With
sharding 3 each unit's gradients are awaited behind its backward.

Of several parts of the model on a stage the update runs the first. The others are
updated before it, and their weights travel meanwhile; see `chunks`.

With expert parallelism, routed experts are summed, sharded and gathered over those that
hold the same ones only.

Inference has the forward of each unit and nothing else; replicas are independent.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from cosmic.trace.execution_graph import Block, Program, Schedule, Stage
from cosmic.trace.node import (
    CollectiveKind,
    CollectiveNode,
    ComputeNode,
    Instruction,
    Start,
    Token,
    Wait,
)
from cosmic.workload.layers import Unit
from cosmic.workload.operators import Operators
from cosmic.workload.unit_rows import Around, Run, Turn, places_of, program
from cosmic.workload.workload import Workload

_GRADIENT = Token("gradient")
_SCATTERED = Token("scattered")  # on its way to be summed over copies
_WEIGHTS = Token("weights")


def _of_experts(token: Token) -> Token:
    return Token(f"expert {token.label}", token.offset)


@dataclass(frozen=True, slots=True)
class StepPrograms:
    """The programs of one stage, out of its units.

    Attributes:
        workload: What is computed, and how it is split.
        runs: The units of the stage, in the order of the forward pass.
        backward_gathers: Whether the backward needs weights that are sharded.
    """

    workload: Workload
    runs: tuple[Run, ...]
    backward_gathers: bool = True

    def stage(self) -> Stage:
        """All programs of a step, or the forward of a pass."""
        put_off = self.workload.schedule is Schedule.ZB_H1
        if put_off and self.workload.inference is None:
            return self._put_off()
        return self._whole()

    def _put_off(self) -> Stage:
        """Gradients of weights have programs of their own, behind which they travel."""
        runs = tuple(run.later for run in self.runs)
        later = StepPrograms(self.workload, runs, backward_gathers=False)
        stage, split = later._whole(), self.workload.parallelism
        sharded = split.weight_sharding == 3 and split.replicas > 1
        now = self._backward_sharded(lambda _: ()) if sharded else self._backward
        return replace(
            stage,
            backward=now,
            last_backward=now,
            weight_backward=stage.backward,
            last_weight_backward=stage.last_backward,
        )

    def _whole(self) -> Stage:
        split = self.workload.parallelism
        if self.workload.inference is not None:
            return Stage.passing(self._forward)
        if split.replicas == 1:
            return self._alone()
        if split.weight_sharding == 3:
            return self._sharded()
        if not split.gradient_overlap:
            return self._in_between()
        if split.weight_sharding == 0:
            return self._replicated(self._program(self._update_reduced))
        run = self.runs[0]
        head = Block(
            name="first update", instructions=self._updated(run.unit), first=run.first
        )
        return self._replicated((head, *self._program(self._update_scattered)))

    def _alone(self) -> Stage:
        """Nobody shares the gradients."""
        backward = self._backward
        return Stage(
            forward=self._forward,
            backward=backward,
            last_backward=backward,
            update=self._program(self._update_alone),
        )

    def _replicated(self, update: Program) -> Stage:
        """Sharding 0, 1 and 2: gradients travel once a step, behind the backward."""

        def last(around: Around) -> tuple[Instruction, ...]:
            unit = around.unit
            return (*self._sum_before(around), *unit.backward, *self._reduce(unit))

        return Stage(
            forward=self._forward,
            backward=self._backward,
            last_backward=self._program(last, reverse=True),
            update=update,
            finish=self._sum_last(),
        )

    def _in_between(self) -> Stage:
        """Sharding 0, 1 and 2: all travels between the last backward and the update."""
        backward, forward = self._backward, self._forward
        finish = (
            *self._each(self._reduce, reverse=True),
            *self._each(self._sum_copies, reverse=True),
            *self._each(lambda unit: self._wait(unit, _GRADIENT), reverse=True),
            self._whole_update(),
        )
        if self.workload.parallelism.weight_sharding:
            gathered = self._each(lambda unit: self._gather(unit, _WEIGHTS))
            waited = self._each(lambda unit: self._wait(unit, _WEIGHTS))
            finish = (*finish, *gathered, *waited)
        return Stage(
            forward=forward,
            backward=backward,
            last_backward=backward,
            update=forward,
            finish=finish,
        )

    def _sharded(self) -> Stage:
        """Sharding 3: weights and gradients travel with every micro-batch.

        The last backward also adds up what is held in copies, for which the pass does
        not wait.
        """
        overlap = self.workload.parallelism.gradient_overlap
        wait = self._each(lambda unit: self._wait(unit, _GRADIENT), reverse=True)
        wait = wait if overlap else ()
        forward = (*self._fetch(), *self._program(self._forward_sharded, self._ahead))
        backward = (*self._backward_sharded(self._scattered), *wait)
        optimized = (self._whole_update(), *forward)
        if self.workload.parallelism.copies == 1:
            return Stage(
                forward=forward,
                backward=backward,
                last_backward=backward,
                update=optimized,
            )
        return Stage(
            forward=forward,
            backward=backward,
            last_backward=self._backward_sharded(self._scattered_and_summed),
            update=(*wait, *optimized),
            finish=self._sum_last() if overlap else (),
        )

    def ending(self) -> tuple[Program, Program]:
        """What the update does for a part without running it, and what it awaits."""
        split = self.workload.parallelism
        if split.replicas == 1:
            return self._each(self._optimize), ()
        if split.weight_sharding == 3:
            wait = self._each(lambda unit: self._wait(unit, _GRADIENT), reverse=True)
            wait = wait if split.gradient_overlap and split.copies > 1 else ()
            return (*wait, self._whole_update()), ()
        if not split.gradient_overlap:
            return (), ()
        if split.weight_sharding == 0:
            home = self._each(lambda u: (*self._wait(u, _GRADIENT), *self._optimize(u)))
            return home, ()
        wait = self._each(lambda unit: self._wait(unit, _WEIGHTS))
        return self._each(self._updated), wait

    def _forward_sharded(self, around: Around) -> tuple[Instruction, ...]:
        return (*self._fetched(around), *around.unit.forward)

    def _backward_sharded(self, exchange: Turn) -> Program:
        """A backward with what becomes of each unit's gradients."""

        def turn(around: Around) -> tuple[Instruction, ...]:
            sent = exchange(around)
            fetched = self._fetched(around) if self.backward_gathers else ()
            return (*fetched, *around.unit.backward, *sent)

        reach = max(1, self._ahead)
        return (
            *(self._fetch(reverse=True) if self.backward_gathers else ()),
            *self._program(turn, reach, reverse=True),
        )

    def _scattered(self, around: Around) -> tuple[Instruction, ...]:
        """Gradients to their owners, or to one of them."""
        unit = around.unit
        group = "data" if self.workload.parallelism.copies == 1 else "shard"
        scatter = CollectiveKind.REDUCE_SCATTER
        start = self._start(unit, scatter, group, _GRADIENT)
        if self.workload.parallelism.gradient_overlap:
            return start
        return (*start, *self._wait(unit, _GRADIENT))

    def _scattered_and_summed(self, around: Around) -> tuple[Instruction, ...]:
        """Gradients to all of their owners."""
        unit = around.unit
        if self.workload.parallelism.gradient_overlap:
            return (*self._sum_before(around), *self._reduce(unit))
        summed = (*self._reduce(unit), *self._sum_copies(unit))
        return (*summed, *self._wait(unit, _GRADIENT))

    def _fetched(self, around: Around) -> tuple[Instruction, ...]:
        """The unit's weights, and the start of those that are next to be fetched."""
        later = around.at(self._ahead)
        token = around.token(_WEIGHTS.label, self._ahead)
        start = self._gather(later, token) if later is not None else ()
        return (*start, *self._wait(around.unit, _WEIGHTS))

    def _fetch(self, reverse: bool = False) -> Program:
        """The first gathers of a pass, which nothing can hide."""
        places = list(places_of(self.runs))[:: -1 if reverse else 1]
        return tuple(
            Block(name="first weights", instructions=start, first=layer)
            for unit, layer in places[: self._ahead]
            if (start := self._gather(unit, _WEIGHTS))
        )

    def _update_alone(self, around: Around) -> tuple[Instruction, ...]:
        return (*self._optimize(around.unit), *around.unit.forward)

    def _update_reduced(self, around: Around) -> tuple[Instruction, ...]:
        unit = around.unit
        wait = self._wait(unit, _GRADIENT)
        return (*wait, *self._optimize(unit), *unit.forward)

    def _update_scattered(self, around: Around) -> tuple[Instruction, ...]:
        unit, following = around.unit, around.at(1)
        ahead = self._updated(following, 1) if following is not None else ()
        return (*ahead, *self._wait(unit, _WEIGHTS), *unit.forward)

    def _updated(self, unit: Unit, offset: int = 0) -> tuple[Instruction, ...]:
        """Gradients home, weights updated and on their way."""
        return (
            *self._wait(unit, Token(_GRADIENT.label, offset)),
            *self._optimize(unit),
            *self._gather(unit, Token(_WEIGHTS.label, offset)),
        )

    def _optimize(self, unit: Unit) -> tuple[Instruction, ...]:
        if unit.weights == unit.experts == 0:
            return ()
        return (self._optimizer(unit.weights, unit.experts),)

    def _whole_update(self) -> Block:
        """The optimizer over all of the stage's weights or shards at once."""
        count = sum(run.unit.weights * run.count for run in self.runs)
        spread = sum(run.unit.experts * run.count for run in self.runs)
        node = self._optimizer(count, spread)
        return Block(name="optimizer", instructions=(node,))

    def _optimizer(self, weights: int, spread: int) -> ComputeNode:
        """Over so many weights of one device, and so many of its spread experts."""
        split = self.workload.parallelism
        sharded = split.weight_sharding > 0
        own = weights / (split.shards if sharded else 1)
        own += spread / (split.expert_replicas if sharded else 1)
        return Operators(self.workload).optimizer(own)

    @property
    def _ahead(self) -> int:
        return self.workload.parallelism.prefetch

    def _reduce(self, unit: Unit) -> tuple[Instruction, ...]:
        """Send a unit's gradients off to be summed, or to be scattered first."""
        split = self.workload.parallelism
        if split.weight_sharding == 0:
            return self._start(unit, CollectiveKind.ALL_REDUCE, "data", _GRADIENT)
        scatter = CollectiveKind.REDUCE_SCATTER
        if split.copies == 1:
            return self._start(unit, scatter, "data", _GRADIENT)
        return self._start(unit, scatter, "shard", _SCATTERED)

    def _sum_copies(self, unit: Unit, offset: int = 0) -> tuple[Instruction, ...]:
        """When a unit's gradients are scattered, add them up over copies."""
        if self.workload.parallelism.copies == 1:
            return ()
        scattered, summed = (Token(t.label, offset) for t in (_SCATTERED, _GRADIENT))
        add = CollectiveKind.ALL_REDUCE
        return (
            *self._wait(unit, scattered),
            *self._start(unit, add, "copies", summed, self.workload.parallelism.shards),
        )

    def _sum_before(self, around: Around) -> tuple[Instruction, ...]:
        """The same of the unit that ran before."""
        before, offset = around.at(-1), -around.step
        return self._sum_copies(before, offset) if before is not None else ()

    def _sum_last(self) -> Program:
        """The same of the unit whose gradients came last, the stage's first one."""
        run = self.runs[0]
        instructions = self._sum_copies(run.unit)
        if not instructions:
            return ()
        return (Block(name="first copies", instructions=instructions, first=run.first),)

    def _gather(self, unit: Unit, token: Token) -> tuple[Instruction, ...]:
        group = "data" if self.workload.parallelism.copies == 1 else "shard"
        return self._start(unit, CollectiveKind.ALL_GATHER, group, token)

    def _start(
        self, unit: Unit, kind: CollectiveKind, group: str, token: Token, parts: int = 1
    ) -> tuple[Instruction, ...]:
        """A collective over a unit's weights or gradients, or so much of them.

        Spread experts have one of their own, where several devices hold them.
        """
        started: tuple[Instruction, ...] = ()
        if unit.weights:
            each = unit.weights, parts
            started = self._send(unit.name, each, kind, group, token)
        if not self._sums_experts(unit):
            return started
        own = _of_experts(token)
        name = f"{unit.name} experts"
        return (
            *started,
            *self._send(name, (unit.experts, 1), kind, "expert_data", own),
        )

    def _send(
        self,
        name: str,
        share: tuple[int, int],
        kind: CollectiveKind,
        group: str,
        token: Token,
    ) -> tuple[Instruction, ...]:
        """A collective over so many weights or gradients, divided by so much."""
        gathers = kind is CollectiveKind.ALL_GATHER  # weights, not gradients
        each = self.workload.element_bytes if gathers else self.workload.gradient_bytes
        node = CollectiveNode(
            name=f"{name} {'weights' if gathers else 'gradient'}",
            kind=kind,
            group=group,
            nbytes=each * share[0] / share[1],
        )
        return (Start(node, token),)

    def _wait(self, unit: Unit, token: Token) -> tuple[Instruction, ...]:
        waited = (Wait(token),) if unit.weights else ()
        experts = (Wait(_of_experts(token)),) if self._sums_experts(unit) else ()
        return (*waited, *experts)

    def _sums_experts(self, unit: Unit) -> bool:
        return unit.experts > 0 and self.workload.parallelism.expert_replicas > 1

    @property
    def _forward(self) -> Program:
        return self._each(lambda unit: unit.forward)

    @property
    def _backward(self) -> Program:
        return self._each(lambda unit: unit.backward, reverse=True)

    def _each(
        self, turn: Callable[[Unit], tuple[Instruction, ...]], reverse: bool = False
    ) -> Program:
        """What each unit does without looking around."""
        return self._program(lambda around: turn(around.unit), 0, reverse)

    def _program(self, turn: Turn, reach: int = 1, reverse: bool = False) -> Program:
        return program(self.runs, turn, reach, reverse)
