"""The check that tokens are started, awaited once, and may then be used again."""

from collections.abc import Iterable, Sequence

from cosmic.errors import TraceError
from cosmic.trace.node import ComputeNode, Instruction, Start, Wait

Rows = Iterable[tuple[Iterable[int], tuple[Instruction, ...]]]
"""Instructions that are repeated, with the layer of each turn."""


def check_tokens(rows: Rows) -> None:
    """Check the tokens of what runs in a row.

    Raises:
        TraceError: One is started twice, never awaited, or awaited before it starts.
    """
    under_way: set[tuple[str, int]] = set()
    for layers, instructions in rows:
        marks = [i for i in instructions if not isinstance(i, ComputeNode)]
        within = _within_a_turn(marks) - {label for label, _ in under_way}
        lasting = [mark for mark in marks if mark.token.label not in within]
        for layer in layers if lasting else ():
            for mark in lasting:
                _check_token(mark, layer, under_way)
    if under_way:
        raise TraceError(f"token {min(under_way)} is never awaited")


def _within_a_turn(marks: Sequence[Start | Wait]) -> set[str]:
    """Labels of which each token is awaited before the next one starts.

    A turn that begins with none of them under way also ends so, whatever its layer.
    """
    by_label: dict[str, list[Start | Wait]] = {}
    for mark in marks:
        by_label.setdefault(mark.token.label, []).append(mark)
    return {
        label
        for label, own in by_label.items()
        if len(own) % 2 == 0
        and all(
            isinstance(start, Start)
            and isinstance(wait, Wait)
            and start.token == wait.token
            for start, wait in zip(own[::2], own[1::2], strict=True)
        )
    }


def _check_token(
    mark: Start | Wait, layer: int, under_way: set[tuple[str, int]]
) -> None:
    """Note that a token starts or ends."""
    token = mark.token.label, layer + mark.token.offset
    if isinstance(mark, Start):
        if token in under_way:
            raise TraceError(f"token {token} is started twice")
        under_way.add(token)
    elif token in under_way:
        under_way.remove(token)
    else:
        raise TraceError(f"token {token} is awaited before it is started")
