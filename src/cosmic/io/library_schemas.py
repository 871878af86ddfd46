"""The shape of library files: how a communication library sends, and what it knows."""

from typing import Annotated, Literal

from pydantic import Field

from cosmic.io.spec_models import BandwidthField, LatencyField, SpecModel

Algorithms = tuple[str, ...]


class LinkCostSpec(SpecModel):
    """What a protocol costs on one kind of link.

    Attributes:
        step_delay: Time of each step that bytes do not explain.
        bandwidth_fraction: What it gets of the link's bandwidth.
        bandwidth_limit: What a device sends at most over all such links; no limit if
            left out.
    """

    step_delay: LatencyField
    bandwidth_fraction: Annotated[float, Field(gt=0, le=1)]
    bandwidth_limit: BandwidthField | None = None


class ProtocolSpec(SpecModel):
    """One way in which a communication library sends.

    Attributes:
        name: As the library calls it.
        launch_delay: Time from the call to the first message.
        links: Its cost by kind of link; it does not exist on others.
        algorithms: Those that it carries and that no other protocol does; if left out,
            it carries all the rest.
        buffered: Whether what arrives lies in a buffer of the protocol first, from
            which the last slice is still to be taken.
    """

    name: str
    launch_delay: LatencyField
    links: Annotated[dict[str, LinkCostSpec], Field(min_length=1)]
    algorithms: Algorithms = ()
    buffered: bool = True


class LibrarySpec(SpecModel):
    """A communication library: its protocols, and the algorithms that it knows.

    Attributes:
        kind: What the file describes.
        about: One sentence for people.
        source: Where the numbers are from.
        protocols: Its ways to send; a phase takes the fastest.
        algorithms: By kind of collective and kind of link: among what it chooses.
    """

    kind: Literal["library"]
    about: str = ""
    source: str = ""
    protocols: Annotated[tuple[ProtocolSpec, ...], Field(min_length=1)]
    algorithms: dict[
        Literal["all_reduce", "all_gather", "reduce_scatter", "all_to_all"],
        dict[str, Algorithms],
    ] = Field(default={})
