"""What does not fit a schema is told in the words of this library."""

from enum import Enum
from typing import Annotated, Literal

import pytest
from pydantic import Field, field_validator

from cosmic.errors import SpecError
from cosmic.io.spec_models import (
    BandwidthField,
    BytesField,
    DollarsField,
    FlopRateField,
    FlopsField,
    LatencyField,
    SpecModel,
    validate,
)
from cosmic.io.yaml_reader import Document


class Shape(Enum):
    RING = "ring"
    SWITCH = "switch"


class Dimension(SpecModel):
    shape: Shape
    size: int
    bandwidth: BandwidthField
    latency: LatencyField = 0.0

    @field_validator("size")
    @classmethod
    def _joins_two(cls, size: int) -> int:
        if size < 2:
            raise SpecError(f"a dimension joins at least 2 devices, not {size}")
        return size


class Torus(SpecModel):
    kind: Literal["torus"]
    rings: int


class Tree(SpecModel):
    kind: Literal["tree"]
    height: int


class Cluster(SpecModel):
    dimensions: Annotated[tuple[Dimension, ...], Field(min_length=1)]
    order: Literal["fifo", "lifo"] = "fifo"
    chunks: Annotated[int, Field(ge=1, le=16)] = 4
    share: float = 0.5
    strict: bool = True
    extra: Annotated[Torus | Tree, Field(discriminator="kind")] | None = None
    named: Annotated[dict[str, Dimension], Field(default_factory=dict)]
    either: int | str = 0


GOOD: dict[str, Document] = {"shape": "ring", "size": 8, "bandwidth": "50 GB/s"}


def refusal(document: Document) -> str:
    """The one line about a document that is not as it should be."""
    with pytest.raises(SpecError) as caught:
        validate(Cluster, document, "cluster.yaml")
    return str(caught.value)


def in_dimension(**changes: Document) -> str:
    """The line about a cluster whose only dimension has these changes."""
    return refusal({"dimensions": [GOOD | changes]})


def test_a_good_document_becomes_an_object() -> None:
    cluster = validate(Cluster, {"dimensions": [GOOD], "share": 1}, "cluster.yaml")

    assert cluster.dimensions[0].shape is Shape.RING
    assert cluster.dimensions[0].bandwidth == 50e9
    assert cluster.share == 1.0


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"size": "8"}, "expected int, got '8' @ $.dimensions[0].size"),
        ({"size": 8.0}, "expected int, got 8.0 @ $.dimensions[0].size"),
        ({"size": True}, "expected int, got true @ $.dimensions[0].size"),
        ({"size": None}, "expected int, got nothing @ $.dimensions[0].size"),
        ({"size": [8]}, "expected int, got a list @ $.dimensions[0].size"),
        (
            {"size": 1},
            "a dimension joins at least 2 devices, not 1 @ $.dimensions[0].size",
        ),
        (
            {"sise": 8},
            "no key named 'sise'; did you mean 'size'? @ $.dimensions[0]",
        ),
        (
            {"bandwidth": "50 GB"},
            "'50 GB' is not in B/s; write B/s, GB/s, TB/s or Gb/s "
            "@ $.dimensions[0].bandwidth",
        ),
        (
            {"bandwidth": 50},
            "write a quantity with its unit, such as '1 B/s' "
            "@ $.dimensions[0].bandwidth",
        ),
        (
            {"latency": "-5 ns"},
            "'-5 ns' is less than 0 s @ $.dimensions[0].latency",
        ),
        (
            {"shape": "rign"},
            "expected 'ring' or 'switch', got 'rign'; did you mean 'ring'? "
            "@ $.dimensions[0].shape",
        ),
    ],
)
def test_a_mistake_in_a_dimension(changes: dict[str, Document], line: str) -> None:
    assert in_dimension(**changes) == f"cluster.yaml: {line}"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"chunks": 0}, "must be at least 1, but is 0 @ $.chunks"),
        ({"chunks": 17}, "must be at most 16, but is 17 @ $.chunks"),
        ({"share": "half"}, "expected number, got 'half' @ $.share"),
        ({"strict": "no"}, "expected true or false, got 'no' @ $.strict"),
        ({"dimensions": 3}, "expected list, got 3 @ $.dimensions"),
        ({"dimensions": [3]}, "expected mapping, got 3 @ $.dimensions[0]"),
        ({"dimensions": []}, "must hold at least 1, but holds 0 @ $.dimensions"),
        ({"order": "x"}, "expected 'fifo' or 'lifo', got 'x' @ $.order"),
        (
            {"extra": {"kind": "tre"}},
            "no kind named 'tre'; did you mean 'tree'? @ $.extra",
        ),
        ({"extra": {}}, "key 'kind' is missing @ $.extra"),
        (
            {"extra": {"kind": "tree", "hight": 3, "height": 3}},
            "no key named 'hight'; did you mean 'height'? @ $.extra",
        ),
        (
            {"named": {"inner": GOOD | {"siz": 3}}},
            "no key named 'siz'; did you mean 'size'? @ $.named.inner",
        ),
    ],
)
def test_a_mistake_in_a_cluster(changes: dict[str, Document], line: str) -> None:
    assert refusal({"dimensions": [GOOD], **changes}) == f"cluster.yaml: {line}"


def test_a_missing_key_is_named() -> None:
    assert refusal({}) == "cluster.yaml: key 'dimensions' is missing @ $"


def test_a_document_must_be_a_mapping() -> None:
    assert refusal([1]) == "cluster.yaml: expected mapping, got a list @ $"
    assert refusal("text") == "cluster.yaml: expected mapping, got 'text' @ $"


def test_a_misspelt_key_leads_and_the_rest_is_counted() -> None:
    one_more: Document = {"shape": "ring", "sise": 8, "bandwidth": "50 GB/s"}
    two_more: Document = {"shape": "ring", "sise": 8, "bandwidth": 50}
    start = "cluster.yaml: no key named 'sise'; did you mean 'size'? @ $.dimensions[0]"

    assert refusal({"dimensions": [one_more]}) == f"{start} (and 1 more problem)"
    assert refusal({"dimensions": [two_more]}) == f"{start} (and 2 more problems)"


def test_the_path_holds_no_name_of_a_union_member() -> None:
    line = refusal({"dimensions": [GOOD], "either": [1]})

    assert line == (
        "cluster.yaml: expected int, got a list @ $.either (and 1 more problem)"
    )


def test_a_huge_value_is_not_repeated() -> None:
    assert len(in_dimension(size="9" * 1_000_000)) < 200
    assert len(in_dimension(bandwidth="9" * 1_000_000)) < 200


def test_every_quantity_has_its_unit() -> None:
    class Everything(SpecModel):
        latency: LatencyField
        memory: BytesField
        bandwidth: BandwidthField
        work: FlopsField
        peak: FlopRateField
        price: DollarsField

    document: Document = {
        "latency": "20 ns",
        "memory": "24 GB",
        "bandwidth": "400 Gb/s",
        "work": "2 TFLOP",
        "peak": "312 TFLOPS",
        "price": "4 USD",
    }

    assert tuple(validate(Everything, document, "f").model_dump().values()) == (
        20e-9,
        24e9,
        50e9,
        2e12,
        312e12,
        4.0,
    )


def test_the_json_schema_shows_how_a_quantity_is_written() -> None:
    schema = Dimension.model_json_schema()["properties"]["bandwidth"]

    assert schema["type"] == "string"
    assert schema["examples"] == ["50 GB/s"]


def test_of_two_forms_the_one_that_was_written_is_explained() -> None:
    class Part(SpecModel):
        rate: BandwidthField

    class Whole(SpecModel):
        part: str | Part

    with pytest.raises(
        SpecError, match=r"with its unit, such as '1 B/s' @ \$\.part\.rate"
    ):
        validate(Whole, {"part": {"rate": 5}}, "x.yaml")
    with pytest.raises(SpecError, match="expected text, got 5"):
        validate(Whole, {"part": 5}, "x.yaml")
