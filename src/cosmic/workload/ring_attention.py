"""Attention whose keys and values go round the devices that share a sequence.

Each device computes attention to the tokens that are there while those of the one
before it arrive, hands these on, and so has seen all tokens after as many steps as
there are others. Backward, keys and values go round once more, and their gradients
behind them, which go one step further, home. Shares of the work are taken to be equal,
as they are with a causal mask when each device has an early and a late part of the
sequence.

Reference:
    H. Liu et al., "Ring attention with blockwise transformers for near-infinite
    context", 2023, section 3.
"""

from collections.abc import Sequence

from cosmic.trace.node import (
    CollectiveKind,
    CollectiveNode,
    ComputeNode,
    Instruction,
    Start,
    Token,
    Wait,
)
from cosmic.workload.pieces import piece


def ring_forward(
    core: Sequence[ComputeNode], nbytes: float, size: int
) -> tuple[Instruction, ...]:
    """Attention to the tokens of all devices.

    Args:
        core: All of it.
        nbytes: Keys and values of the tokens of one device.
        size: Devices that share the sequence, at least 2.
    """
    start, wait = _round("keys and values", CollectiveKind.ALL_GATHER, nbytes * size)
    return (start, *_part(core, size - 1, size), wait, *_part(core, 1, size))


def ring_backward(
    core: Sequence[ComputeNode], nbytes: float, size: int
) -> tuple[Instruction, ...]:
    """The backward pass, in two halves: gradients go round behind the second one.

    The buffer that is scattered is larger than all gradients by so much that its
    `size - 1` steps carry what the gradients' `size` steps do.
    """
    whole = nbytes * size
    keys, came = _round("keys and values again", CollectiveKind.ALL_GATHER, whole)
    gradients, home = _round(
        "keys and values backward",
        CollectiveKind.REDUCE_SCATTER,
        whole * size / (size - 1),
    )
    half = size // 2
    first, second = _part(core, half, size), _part(core, size - half, size)
    return (keys, *first, came, gradients, *second, home)


def _part(
    core: Sequence[ComputeNode], count: int, size: int
) -> tuple[ComputeNode, ...]:
    return tuple(piece(node, count, size) for node in core)


def _round(name: str, kind: CollectiveKind, nbytes: float) -> tuple[Start, Wait]:
    node = CollectiveNode(name=name, kind=kind, group="sequence", nbytes=nbytes)
    return Start(node, Token(name)), Wait(Token(name))
