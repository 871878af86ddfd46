"""Several parts of the model on one pipeline stage."""

from collections.abc import Sequence

from cosmic.trace.execution_graph import Chunk, Program, Stage


def in_chunks(first: Stage, further: Sequence[tuple[Stage, Program, Program]]) -> Stage:
    """One stage out of a stage for each part.

    What the parts behind the first one need at the end of a step stands before its
    update, the last part first, whose gradients come home first.

    Args:
        first: The stage of the first part.
        further: The others in the order of the model, each with how it is updated and
            what is awaited behind that.
    """
    if not further:
        return first
    finish, update = first.finish, first.update
    for stage, updated, awaited in reversed(further):
        finish = (*finish, *stage.finish, *updated)
        update = (*update, *awaited)
    parts = ((s.forward, s.backward, s.last_backward) for s, _, _ in further)
    return Stage(
        forward=first.forward,
        backward=first.backward,
        last_backward=first.last_backward,
        update=update,
        finish=finish,
        chunks=tuple(
            Chunk(forward=forward, backward=backward, last_backward=last)
            for forward, backward, last in parts
        ),
    )
