"""`cosmic collective`: one collective by size, and how it could be done best."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cosmic.cli.compiled_code import patience
from cosmic.cli.console import remark, say, show_table, write_json
from cosmic.cli.machine import machine_of
from cosmic.cli.wording import percent
from cosmic.collective.algorithm import make_algorithm
from cosmic.errors import SpecError, UnknownNameError
from cosmic.io.systems import load_system_library
from cosmic.simulation.collective_bound import Bound, least_time
from cosmic.simulation.communication import transfer_time
from cosmic.simulation.link_level import link_level_time, link_level_transfer
from cosmic.simulation.single_collective import (
    CollectiveTime,
    all_devices,
    bus_factor,
    fastest_collective,
    time_collective,
)
from cosmic.system.system import System
from cosmic.trace.execution_graph import Group
from cosmic.trace.node import CollectiveKind
from cosmic.units import Bytes, Seconds, format_quantity, parse

_SEND_RECEIVE = "send_recv"
_ALGORITHMS = ("ring", "direct", "halvingDoubling", "doubleBinaryTree")
_MOST_SIZES = 200
_SIZES = {2**power: prefix for power, prefix in ((30, "Gi"), (20, "Mi"), (10, "Ki"))}


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectiveRequest:
    """What `cosmic collective` is asked for.

    Attributes:
        kind: Which collective, or send_recv.
        reference: A system.
        smallest: The first size, as text.
        largest: The last size, as text.
        factor: From one size to the next.
        group: Devices that communicate, as SIZE or SIZExSTRIDE; empty for all.
        changes: What differs from the system, as `name=value`.
        algorithms: Those to choose among, with commas; empty for those of the system's
            library, or the usual ones.
        plot: File for a picture; empty for none.
        fidelity: `link` also plays it message by message on explicit links.
        as_json: Whether to print JSON.
    """

    kind: str
    reference: str
    smallest: str
    largest: str
    factor: float
    group: str
    changes: tuple[str, ...]
    algorithms: str
    plot: str
    fidelity: str
    as_json: bool


@dataclass(frozen=True, slots=True)
class _Row:
    """One size.

    Attributes:
        nbytes: The buffer.
        factor: Bus bandwidth over algorithm bandwidth.
        seconds: As the system does it.
        bound: What nothing can beat; None for a transfer.
        best: As it is done best; None for a transfer.
        by_links: As the system does it, message by message; None if not asked for.
    """

    nbytes: Bytes
    factor: float
    seconds: Seconds
    bound: Bound | None = None
    best: CollectiveTime | None = None
    by_links: Seconds | None = None

    def bus_bandwidth(self, seconds: Seconds) -> float:
        return self.factor * self.nbytes / seconds if seconds > 0 else float("inf")


def collective(request: CollectiveRequest) -> None:
    """Time a collective on a system, size by size, and print what comes out.

    Raises:
        SpecError: Something asked for cannot be right; says what.
    """
    if request.plot:
        from cosmic.report.figures import check_picture  # noqa: PLC0415 - an extra

        check_picture(request.plot)
    system = machine_of(request.reference, request.changes)
    group = _group(request.group, system)
    sizes = list(_sizes(request))
    with patience(remark):
        rows = [_row(request, nbytes, group, system) for nbytes in sizes]
    if request.plot:
        from cosmic.report.figures import bandwidth_figure  # noqa: PLC0415 - an extra

        bandwidth_figure(_title(request, group), _lines(rows), request.plot)
        remark(f"picture: {request.plot}")
    if request.as_json:
        write_json(_document(request, group, rows))
    else:
        _show(request, group, rows, system)


def _group(text: str, system: System) -> Group:
    """The group that SIZE or SIZExSTRIDE means."""
    if not text:
        return all_devices(system)
    size, _, stride = text.partition("x")
    try:
        found = Group(name="group", size=int(size), stride=int(stride or 1))
    except ValueError:
        raise SpecError(
            f"--group {text}: write SIZE or SIZExSTRIDE, such as 8 or 16x8"
        ) from None
    if system.cluster.devices % found.reach:
        raise SpecError(
            f"--group {text}: groups that reach over {found.reach} devices do not fill "
            f"{system.cluster.devices}"
        )
    return found


def _sizes(request: CollectiveRequest) -> Iterator[Bytes]:
    smallest = _size("--from", request.smallest)
    largest = _size("--to", request.largest)
    if smallest > largest:
        raise SpecError(
            f"--from {request.smallest} is more than --to {request.largest}"
        )
    if not request.factor > 1:
        raise SpecError(f"--factor must be more than 1, not {request.factor:g}")
    nbytes, count = smallest, 0
    while nbytes <= largest * (1 + 1e-9):
        yield nbytes
        nbytes *= request.factor
        count += 1
        if count > _MOST_SIZES:
            raise SpecError(
                f"--factor {request.factor:g} makes more than {_MOST_SIZES} sizes "
                f"from {request.smallest} to {request.largest}"
            )


def _size(option: str, text: str) -> Bytes:
    try:
        return parse(text, "B", minimum=1)
    except SpecError as error:
        raise SpecError(f"{option} {text}: {error}") from error


def _row(
    request: CollectiveRequest, nbytes: Bytes, group: Group, system: System
) -> _Row:
    by_links = request.fidelity == "link"
    if request.kind == _SEND_RECEIVE:
        return _transfer(nbytes, group, system, by_links=by_links)
    kind = _kind(request.kind)
    own = {system.policy.algorithm(kind, d) for d in range(system.policy.dimensions)}
    named = [name.strip() for name in request.algorithms.split(",") if name.strip()]
    for name in named:
        make_algorithm(name)
    usual = _of_library(request.reference, kind) or _ALGORITHMS
    choices = named or list(dict.fromkeys((*usual, *sorted(own))))
    return _Row(
        nbytes,
        bus_factor(kind, group.size),
        time_collective(kind, nbytes, system, group).seconds,
        least_time(kind, nbytes, group, system),
        fastest_collective(kind, nbytes, system, group, algorithms=choices),
        link_level_time(kind, nbytes, group, system).seconds if by_links else None,
    )


def _transfer(nbytes: Bytes, group: Group, system: System, *, by_links: bool) -> _Row:
    """From the first device of every group to the second."""
    if group.size == 1:
        raise SpecError("--group 1: a device alone sends to nobody")
    pair = (0, 1)
    seconds = transfer_time(group, pair, nbytes, system)
    played = link_level_transfer(pair, nbytes, group, system) if by_links else None
    return _Row(
        nbytes, 1.0, seconds, by_links=played.seconds if played is not None else None
    )


def _of_library(reference: str, kind: CollectiveKind) -> tuple[str, ...]:
    """The algorithms among which a system's library chooses; none without one."""
    linked = load_system_library(reference)
    if linked is None:
        return ()
    by_link = linked.library.algorithms.get(kind, {})
    return tuple(n for link in linked.links for n in by_link.get(link, ()))


def _kind(name: str) -> CollectiveKind:
    kinds = {kind.value: kind for kind in CollectiveKind}
    if name not in kinds:
        raise UnknownNameError("collective", name, (*kinds, _SEND_RECEIVE))
    return kinds[name]


def _title(request: CollectiveRequest, group: Group) -> str:
    return f"{request.kind} of {group.size} devices of {request.reference}"


def _show(
    request: CollectiveRequest, group: Group, rows: list[_Row], system: System
) -> None:
    dimensions = system.cluster.topology.dimensions
    shapes = " x ".join(f"{d.shape.value} {d.size}" for d in dimensions)
    columns = ["size", "time", "algorithm bw", "bus bw"]
    if request.fidelity == "link":
        columns.insert(2, "by links")
    if request.kind != _SEND_RECEIVE:
        columns += ["at best", "bound by", "reached", "fastest", "bus bw", "with"]
    words = [index for index, name in enumerate(columns) if name == "with"]
    show_table(
        f"{_title(request, group)} ({shapes})",
        columns,
        [_cells(row) for row in rows],
        words=words,
    )
    if request.kind == _SEND_RECEIVE:
        return
    say()
    say(
        "at best: what no algorithm can beat on these links. reached: that over the "
        "time. fastest: the best of some algorithms and numbers of chunks (x)."
    )


def _cells(row: _Row) -> list[str]:
    cells = [
        _size_text(row.nbytes),
        format_quantity(row.seconds, "s"),
        _bandwidth_text(row.bus_bandwidth(row.seconds) / row.factor),
        _bandwidth_text(row.bus_bandwidth(row.seconds)),
    ]
    if row.by_links is not None:
        cells.insert(2, format_quantity(row.by_links, "s"))
    if row.bound is None or row.best is None:
        return cells
    reached = row.bound.seconds / row.seconds if row.seconds > 0 else 1.0
    return [
        *cells,
        format_quantity(row.bound.seconds, "s"),
        row.bound.name,
        percent(reached),
        format_quantity(row.best.seconds, "s"),
        _bandwidth_text(row.bus_bandwidth(row.best.seconds)),
        f"{_names(row.best)} x{row.best.policy.chunks}",
    ]


def _names(best: CollectiveTime) -> str:
    """The algorithm of every dimension that takes part, once where they agree."""
    dimensions = sorted({p.dimension for route in best.routes for p in route.phases})
    names = [best.policy.all_reduce[dimension] for dimension in dimensions]
    return names[0] if len(set(names)) == 1 else ", ".join(names)


def _size_text(nbytes: Bytes) -> str:
    for size, prefix in _SIZES.items():
        if nbytes >= size and nbytes % size == 0:
            return f"{nbytes / size:,.0f} {prefix}B"
    return format_quantity(nbytes, "B")


def _bandwidth_text(bandwidth: float) -> str:
    return format_quantity(bandwidth, "B/s") if bandwidth < float("inf") else "-"


def _lines(rows: list[_Row]) -> dict[str, list[tuple[float, float]]]:
    """Bus bandwidth by size, for a picture."""
    lines = {"as configured": [(r.nbytes, r.bus_bandwidth(r.seconds)) for r in rows]}
    found = [(r.nbytes, r, r.best, r.bound) for r in rows]
    lines["fastest choice"] = [
        (n, r.bus_bandwidth(best.seconds)) for n, r, best, _ in found if best
    ]
    lines["bound"] = [
        (n, r.bus_bandwidth(bound.seconds)) for n, r, _, bound in found if bound
    ]
    return {name: line for name, line in lines.items() if line}


def _document(
    request: CollectiveRequest, group: Group, rows: list[_Row]
) -> Mapping[str, object]:
    return {
        "collective": request.kind,
        "system": request.reference,
        "devices": group.size,
        "stride": group.stride,
        "sizes": [_entry(row) for row in rows],
    }


def _entry(row: _Row) -> Mapping[str, object]:
    entry: dict[str, object] = {
        "bytes": row.nbytes,
        "seconds": row.seconds,
        "algorithm_bandwidth": row.bus_bandwidth(row.seconds) / row.factor,
        "bus_bandwidth": row.bus_bandwidth(row.seconds),
    }
    if row.by_links is not None:
        entry["seconds_by_links"] = row.by_links
    if row.bound is not None and row.best is not None:
        entry["bound"] = {"seconds": row.bound.seconds, "by": row.bound.name}
        entry["fastest"] = {
            "seconds": row.best.seconds,
            "bus_bandwidth": row.bus_bandwidth(row.best.seconds),
            "algorithms": row.best.policy.all_reduce,
            "chunks": row.best.policy.chunks,
        }
    return entry
