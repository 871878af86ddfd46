"""What the schemas of spec files share: strict models, quantities, readable errors.

A schema is a `SpecModel` with typed fields. `validate` fits a document, as
`read_yaml` gives it, to a schema, and tells what does not fit in one line.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails

from cosmic.errors import SpecError, UnitError, suggest
from cosmic.io.spec_error import Place, show_value, spec_error
from cosmic.io.yaml_reader import Document
from cosmic.units import (
    Bytes,
    BytesPerSecond,
    Dollars,
    DollarsPerSecond,
    FlopPerSecond,
    Flops,
    Seconds,
    Unit,
    parse,
    spellings,
)


class SpecModel(BaseModel):
    """Base of every schema: no unknown keys, no value of another type, frozen."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


M = TypeVar("M", bound=BaseModel)


def validate(model_class: type[M], document: Document, file_name: str) -> M:
    """Fit a document to a schema.

    Lists may fill tuples, and text may name the member of an enum; nothing else is
    converted.

    Raises:
        SpecError: For the first problem, with its place; the others are counted.

    >>> class Cluster(SpecModel):
    ...     size: int
    >>> validate(Cluster, {"size": 8}, "cluster.yaml").size
    8
    >>> validate(Cluster, {"size": "8"}, "cluster.yaml")
    Traceback (most recent call last):
    cosmic.errors.SpecError: cluster.yaml: expected int, got '8' @ $.size
    """
    try:
        return model_class.model_validate_json(json.dumps(document))
    except ValidationError as error:
        problems = _problems(error)
        first = _describe(problems[0], model_class, document, file_name)
        rest = len(problems) - 1
        if not rest:
            raise first from error
        more = f"{rest} more problem{'s' if rest > 1 else ''}"
        raise SpecError(f"{first} (and {more})") from error


def _read_quantity(value: object, *, unit: str) -> float:
    if not isinstance(value, str):
        raise UnitError(f"write a quantity with its unit, such as '1 {unit}'")
    return parse(value, unit, minimum=0)


def quantity_schema(unit: str, example: str) -> dict[str, object]:
    """What a JSON Schema says of a quantity that is not negative.

    Args:
        unit: The SI unit, as `units.parse` takes it.
        example: One for people.
    """
    number = r"\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
    return {
        "type": "string",
        "description": f"a quantity with its unit, such as {example!r}",
        "pattern": rf"^\s*{number}\s*({'|'.join(spellings(unit))})\s*$",
        "examples": [example],
    }


def _unit(quantity: object) -> str:
    """The unit that a type such as `Seconds` is marked with."""
    marks = [mark for mark in get_args(quantity) if isinstance(mark, Unit)]
    return marks[0].symbol


def _reader(quantity: object) -> BeforeValidator:
    return BeforeValidator(partial(_read_quantity, unit=_unit(quantity)))


def _schema(quantity: object, example: str) -> WithJsonSchema:
    return WithJsonSchema(quantity_schema(_unit(quantity), example))


LatencyField = Annotated[Seconds, _reader(Seconds), _schema(Seconds, "700 ns")]
BytesField = Annotated[Bytes, _reader(Bytes), _schema(Bytes, "24 GB")]
BandwidthField = Annotated[
    BytesPerSecond, _reader(BytesPerSecond), _schema(BytesPerSecond, "50 GB/s")
]
FlopsField = Annotated[Flops, _reader(Flops), _schema(Flops, "2 TFLOP")]
FlopRateField = Annotated[
    FlopPerSecond, _reader(FlopPerSecond), _schema(FlopPerSecond, "312 TFLOP/s")
]
DollarsField = Annotated[Dollars, _reader(Dollars), _schema(Dollars, "4 USD")]
RentField = Annotated[
    DollarsPerSecond,
    _reader(DollarsPerSecond),
    _schema(DollarsPerSecond, "2 USD/h"),
]

# From here on: pydantic's errors in the words of this library.

_TYPES = {
    "int_type": "int",
    "int_from_float": "int",
    "int_parsing": "int",
    "float_type": "number",
    "float_parsing": "number",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "list",
    "tuple_type": "list",
    "set_type": "list",
    "frozen_set_type": "list",
    "dict_type": "mapping",
    "model_type": "mapping",
    "model_attributes_type": "mapping",
    "none_required": "nothing",
}

_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
    "multiple_of": ("a multiple of", "multiple_of"),
}


def _problems(error: ValidationError) -> list[ErrorDetails]:
    """What a person has to mend, the likeliest cause first.

    Unknown keys lead, as a misspelt key is why another one is missing. That a list
    is too short is left out where one of its items is wrong: pydantic counts the
    sound items only. That a mapping is no text is left out where something inside it
    is wrong, for a value that may be either.
    """
    found = error.errors(include_url=False)
    parents = {p["loc"][:n] for p in found for n in range(len(p["loc"]))}
    deep = {p["loc"][:n] for p in found for n in range(len(p["loc"]) - 1)}
    real = [p for p in found if p["type"] != "too_short" or p["loc"] not in parents]
    real = [p for p in real if not _other_member(p) or p["loc"][:-1] not in deep]
    return sorted(real, key=lambda problem: problem["type"] != "extra_forbidden")


def _other_member(problem: ErrorDetails) -> bool:
    """Whether a mapping was held against text, as a member of a union."""
    return problem["type"] == "string_type" and isinstance(problem["input"], dict)


def _describe(
    problem: ErrorDetails,
    model_class: type[BaseModel],
    document: Document,
    file_name: str,
) -> SpecError:
    place = _place(problem["loc"], document)
    if problem["type"] == "extra_forbidden":
        key = str(place[-1])
        advice = suggest(key, _keys_at(model_class, place[:-1]))
        message = f"no key named {show_value(key)}; {advice}"
        return spec_error(file_name, message, place[:-1])
    return spec_error(file_name, _message(problem), place)


def _message(problem: ErrorDetails) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    got = show_value(problem["input"])
    if kind in _TYPES:
        return f"expected {_TYPES[kind]}, got {got}"
    if kind in _BOUNDS:
        words, name = _BOUNDS[kind]
        return f"must be {words} {context[name]}, but is {got}"
    special = _SPECIAL.get(kind)
    if special is not None:
        return special(problem, context)
    text = problem["msg"]
    return f"{text[:1].lower()}{text[1:]}, got {got}"


def _own(problem: ErrorDetails, context: dict[str, Any]) -> str:
    """What one of our own checks says stands as it is."""
    return str(context["error"])


def _missing(problem: ErrorDetails, context: dict[str, Any]) -> str:
    return f"key {show_value(problem['loc'][-1])} is missing"


def _choice(problem: ErrorDetails, context: dict[str, Any]) -> str:
    allowed = str(context["expected"])
    names = [part.strip("' ") for part in allowed.replace(" or ", ", ").split(", ")]
    advice = suggest(str(problem["input"]), names)
    near = f"; {advice}" if advice.startswith("did you mean") else ""
    return f"expected {allowed}, got {show_value(problem['input'])}{near}"


def _tag(problem: ErrorDetails, context: dict[str, Any]) -> str:
    names = [part.strip("' ") for part in str(context["expected_tags"]).split(", ")]
    key = str(context["discriminator"]).strip("'")
    tag = str(context["tag"])
    return f"no {key} named {show_value(tag)}; {suggest(tag, names)}"


def _no_tag(problem: ErrorDetails, context: dict[str, Any]) -> str:
    return f"key {context['discriminator']} is missing"


def _length(problem: ErrorDetails, context: dict[str, Any]) -> str:
    if "min_length" in context:
        words = f"at least {context['min_length']}"
    else:
        words = f"at most {context['max_length']}"
    held = context["actual_length"]  # pydantic does not count a mapping to its end
    return f"must hold {words}" + (f", but holds {held}" if held is not None else "")


_SPECIAL: dict[str, Callable[[ErrorDetails, dict[str, Any]], str]] = {
    "value_error": _own,
    "missing": _missing,
    "literal_error": _choice,
    "enum": _choice,
    "union_tag_invalid": _tag,
    "union_tag_not_found": _no_tag,
    "too_short": _length,
    "too_long": _length,
}


def _place(location: Place, document: Document) -> Place:
    """The steps of pydantic's location that lead through the document.

    The others are its own: the member of a union, or the key that is missing.
    """
    place: list[str | int] = []
    here = document
    for part in location:
        match here, part:
            case dict(), str() if part in here:
                here = here[part]
            case list(), int() if part < len(here):
                here = here[part]
            case _:
                continue
        place.append(part)
    return place


def _keys_at(model_class: type[BaseModel], place: Place) -> set[str]:
    """The keys that may stand at a place, in any of the schemas that fit there."""
    models = {model_class}
    for part in place:
        fields = [
            field
            for model in models
            for name, field in model.model_fields.items()
            if part in (name, field.alias)
        ]
        if fields:
            models = {m for field in fields for m in _models(field.annotation)}
    return {
        field.alias or name
        for model in models
        for name, field in model.model_fields.items()
    }


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """The schemas named in a type, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
