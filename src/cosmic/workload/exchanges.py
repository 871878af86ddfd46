"""Collectives that are awaited at once, and what a part of a layer knows of them."""

from typing import Protocol

from cosmic.trace.node import (
    CollectiveKind,
    CollectiveNode,
    Instruction,
    Start,
    Token,
    Wait,
)
from cosmic.workload.workload import Workload


def blocking(
    name: str, kind: CollectiveKind, group: str, nbytes: float
) -> tuple[Instruction, ...]:
    """A collective and the wait for its end."""
    node = CollectiveNode(name=name, kind=kind, group=group, nbytes=nbytes)
    return Start(node, Token(name)), Wait(Token(name))


class Splitting(Protocol):
    """How tensor-parallel devices go into split matrices and come out of them."""

    @property
    def workload(self) -> Workload:
        """What is computed, and how it is split."""

    def enter(self, name: str) -> tuple[Instruction, ...]:
        """Before split matrices: the tokens are gathered where they are split."""

    def leave(self, name: str) -> tuple[Instruction, ...]:
        """After split matrices: partial sums are added, and the tokens split again."""

    def tensor(
        self, name: str, kind: CollectiveKind, nbytes: float
    ) -> tuple[Instruction, ...]:
        """A collective of the tensor group that is awaited at once."""
