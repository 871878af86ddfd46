"""Everything this library raises.

    CosmicError
    ├── SpecError                what the user wrote cannot be right
    │   ├── UnitError            "50 GB" where a bandwidth is asked for
    │   ├── UnknownNameError     no such agent, device, parameter ...
    │   └── ConsistencyError     the parts are sound, the whole is not
    ├── TraceError               an execution graph is malformed
    ├── StudyError               a trial log cannot be read, resumed or written
    └── BackendError             a simulator failed

A design that does not fit in memory is no error: it is an answer, and it
comes back as an `Evaluation` with a `Violation`.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from typing_extensions import override

_LISTED = 12  # names that an error message lists before it stops


class CosmicError(Exception):
    """Base of every error raised on purpose."""


class SpecError(CosmicError, ValueError):
    """A value that the user wrote cannot be right."""


class UnitError(SpecError):
    """A quantity lacks its unit, or is in the wrong one."""


class UnknownNameError(SpecError):
    """A name is not among those known.

    Args:
        kind: What the name should name, such as "agent".
        name: The name that was asked for.
        known: Every name that would have been right.

    Attributes:
        kind: What the name should name, such as "agent".
        name: The name that was asked for.
        known: Every name that would have been right, sorted.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(sorted(known))
        super().__init__(f"no {kind} named {name!r}; {suggest(name, self.known)}")

    @override
    def __reduce__(self) -> tuple[type, tuple[str, str, tuple[str, ...]]]:
        return type(self), (self.kind, self.name, self.known)


class ConsistencyError(SpecError):
    """Each part is sound, but they do not go together."""


class TraceError(CosmicError):
    """An execution graph is malformed."""


class StudyError(CosmicError):
    """A trial log cannot be read, resumed or written."""


class BackendError(CosmicError):
    """A simulator failed: an external one, or one that contradicts itself."""


def suggest(name: str, known: Iterable[str]) -> str:
    """Give the help for a name that is not among those known.

    >>> suggest("rign", ["ring", "direct"])
    "did you mean 'ring'?"
    >>> suggest("tree", ["ring", "direct"])
    'known: direct, ring'
    """
    names = sorted(known)
    near = get_close_matches(name[:100], names, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    if not names:
        return "none is known"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"known: {', '.join(names[:_LISTED])}{more}"
