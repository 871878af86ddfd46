"""Library files to communication libraries, and the one that a system file names."""

from dataclasses import dataclass, replace
from pathlib import Path

from cosmic.collective.library import Library, LibraryProtocol, LinkCost
from cosmic.collective.protocol import Protocol
from cosmic.errors import SpecError
from cosmic.io.library_schemas import LibrarySpec, LinkCostSpec, ProtocolSpec
from cosmic.io.presets import PresetKind, find_spec_file
from cosmic.io.schemas import SystemSpec
from cosmic.io.spec_error import located
from cosmic.io.spec_models import validate
from cosmic.io.yaml_reader import read_yaml
from cosmic.trace.node import CollectiveKind


@dataclass(frozen=True, slots=True)
class LinkedLibrary:
    """A communication library on the links of a system.

    Attributes:
        library: The library.
        links: The kind of link of each dimension, innermost first.
    """

    library: Library
    links: tuple[str, ...]

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """The library's protocols on these links.

        Raises:
            UnknownNameError: The library knows no such kind of link.
        """
        return self.library.protocols_on(self.links)


def load_library(reference: str | Path, folder: Path | None = None) -> Library:
    """The communication library of a preset or a file.

    Args:
        reference: Name of a preset, or path of a YAML file.
        folder: Where relative paths begin; the working folder, if left out.

    Raises:
        SpecError: The file cannot be read or says what cannot be right.
    """
    path = find_spec_file(PresetKind.LIBRARY, str(reference), folder or Path())
    spec = validate(LibrarySpec, read_yaml(path), path.name)
    return Library(
        name=path.stem,
        protocols=tuple(_protocol(protocol) for protocol in spec.protocols),
        algorithms={
            CollectiveKind(kind): dict(by_link)
            for kind, by_link in spec.algorithms.items()
        },
    )


def system_library(path: Path, spec: SystemSpec) -> LinkedLibrary | None:
    """The communication library that a system file names; None if it names none.

    Args:
        path: The file.
        spec: What stands in it.

    Raises:
        SpecError: The library cannot be read, does not know a kind of link, or a
            dimension does not say what kind of link it has.
    """
    if spec.collective.library is None:
        return None
    with located(path.name, ("collective", "library")):
        library = load_library(spec.collective.library, path.parent)
    links: list[str] = []
    for index, dimension in enumerate(spec.dimensions):
        with located(path.name, ("dimensions", index)):
            if dimension.link is None:
                known = ", ".join(library.links)
                raise SpecError(
                    f"say what kind of link it is, for library {library.name}: {known}"
                )
            library.protocols_on([dimension.link])
        links += [dimension.link] * len(dimension.sizes)
    return LinkedLibrary(library, tuple(links))


def _protocol(spec: ProtocolSpec) -> LibraryProtocol:
    return LibraryProtocol(
        name=spec.name,
        launch_delay=spec.launch_delay,
        links={link: _link_cost(cost) for link, cost in spec.links.items()},
        algorithms=spec.algorithms,
        buffered=spec.buffered,
    )


def _link_cost(spec: LinkCostSpec) -> LinkCost:
    cost = LinkCost(spec.step_delay, spec.bandwidth_fraction)
    if spec.bandwidth_limit is None:
        return cost
    return replace(cost, bandwidth_limit=spec.bandwidth_limit)
