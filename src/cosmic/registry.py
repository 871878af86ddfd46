"""Names to objects: where text comes in, from a file or the command line.

A table holds each name with the place of its object, as "module:attribute"; the
module is imported when the name is first asked for. Plug-ins add names through an
entry-point group of the same form; nothing registers itself on import.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Generic, TypeVar, cast

from cosmic.errors import ConsistencyError, UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """The objects of one kind that can be asked for by name.

    Args:
        kind: What the names name, as error messages say it, such as "agent".
        builtin: Each built-in name with the place of its object, "module:attribute".
        entry_point_group: The group in which installed packages add names.

    >>> shapes: Registry[type] = Registry(
    ...     "mapping", {"ordered": "collections:OrderedDict"}, "cosmic.no_such_group"
    ... )
    >>> shapes.get("ordered").__name__
    'OrderedDict'
    """

    __slots__ = ("_builtin", "_group", "_kind")

    def __init__(
        self, kind: str, builtin: Mapping[str, str], entry_point_group: str
    ) -> None:
        self._kind = kind
        self._builtin = dict(builtin)
        self._group = entry_point_group

    def names(self) -> tuple[str, ...]:
        """Every known name, built in or plugged in, sorted."""
        return tuple(sorted(self._builtin.keys() | _plug_ins(self._group).keys()))

    def get(self, name: str) -> T:
        """Give the object of that name, importing its module if need be.

        Raises:
            UnknownNameError: If no object has that name.
            ConsistencyError: If more than one has, or it cannot be imported.
        """
        targets = list(_plug_ins(self._group).get(name, ()))
        if name in self._builtin:
            targets.insert(0, self._builtin[name])
        if not targets:
            raise UnknownNameError(self._kind, name, self.names())
        if len(targets) > 1:
            raise ConsistencyError(
                f"{self._kind} {name!r} is declared more than once: "
                f"{', '.join(targets)}; uninstall all but one"
            )
        return cast(T, self._resolve(name, targets[0]))

    def _resolve(self, name: str, target: str) -> object:
        module, _, attribute = target.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise ConsistencyError(
                f"{self._kind} {name!r} stands at {target}, "
                f"which cannot be loaded: {error}"
            ) from error


@cache
def _plug_ins(group: str) -> Mapping[str, tuple[str, ...]]:
    """Names of an entry-point group, each with the places declared for it."""
    found: dict[str, tuple[str, ...]] = {}
    for point in entry_points(group=group):
        places = found.get(point.name, ())
        if point.value not in places:
            found[point.name] = (*places, point.value)
    return found
