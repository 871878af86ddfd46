"""The JSON Schema of spec files, for editors: made from the schemas that read them.

What pydantic gives is completed with what only the tables of the library know: what
each key means, the names of settings, algorithms, objectives, agents and presets.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from cosmic.collective.algorithm import ALGORITHMS
from cosmic.compute.cost_model import COST_MODELS
from cosmic.evaluation.metrics import METRICS
from cosmic.evaluation.objective import OBJECTIVES
from cosmic.evaluation.setting import SETTINGS
from cosmic.evaluation.setting_kind import Setting
from cosmic.io import (
    calibration_schemas,
    library_schemas,
    model_schemas,
    schemas,
    shared_schemas,
    study_schemas,
)
from cosmic.io.calibrations import CALIBRATED
from cosmic.io.presets import PresetKind, preset_names
from cosmic.io.spec_files import SCHEMAS
from cosmic.io.spec_models import SpecModel, quantity_schema
from cosmic.search.agent import AGENTS

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXAMPLES = {
    "s": "700 ns",
    "B": "24 GB",
    "B/s": "50 GB/s",
    "FLOP/s": "312 TFLOP/s",
    "USD": "5000000 USD",
    "USD/s": "2 USD/h",
}
_ENTRY = re.compile(r"^    (\w+): (.*(?:\n      .*)*)", re.MULTILINE)
_ONE_OF: Mapping[str, tuple[str, ...]] = {
    "ParameterSpec": ("values", "powers_of_two", "range", "divisors_of"),
    "DimensionSpec": ("bandwidth", "link_bandwidth"),
}
_ALL_OF: Mapping[str, Schema] = {
    "DimensionSpec": {
        "if": {"properties": {"topology": {"const": "Torus"}}},
        "then": {"properties": {"npus_count": {"type": "array"}}},
        "else": {"properties": {"npus_count": {"type": "integer"}}},
    }
}


def json_schema(kind: PresetKind | None = None) -> Schema:
    """The JSON Schema (2020-12) of the spec files of a kind, or of all kinds.

    That of all kinds asks for `kind`, and holds a file against what it says.
    """
    chosen = SCHEMAS if kind is None else {kind: SCHEMAS[kind]}
    _, found = models_json_schema([(model, "validation") for model in chosen.values()])
    parts: dict[str, Schema] = found["$defs"]
    for name, part in parts.items():
        _complete(name, part)
    head = {"$schema": _DIALECT, "title": f"cosmic {kind.noun if kind else 'spec'}"}
    if kind is not None:
        return {**head, "$ref": _reference(SCHEMAS[kind]), "$defs": parts}
    words = {_word(k): model for k, model in SCHEMAS.items()}
    cases = [_case(word, model) for word, model in words.items()]
    about = {"description": "What the file describes.", "enum": list(words)}
    return {
        **head,
        "type": "object",
        "properties": {"kind": about},
        "required": ["kind"],
        "allOf": cases,
        "$defs": parts,
    }


def _word(kind: PresetKind) -> str:
    """What stands after `kind` in a file."""
    return kind.name.lower()


def _reference(model: type[SpecModel]) -> str:
    return f"#/$defs/{model.__name__}"


def _case(word: str, model: type[SpecModel]) -> Schema:
    said = {"properties": {"kind": {"const": word}}, "required": ["kind"]}
    return {"if": said, "then": {"$ref": _reference(model)}}


def _model(name: str) -> type[SpecModel]:
    """The class of a schema."""
    rooms = (
        schemas,
        library_schemas,
        model_schemas,
        calibration_schemas,
        shared_schemas,
        study_schemas,
    )
    found: type[SpecModel] = {k: v for room in rooms for k, v in vars(room).items()}[
        name
    ]
    return found


def _complete(name: str, part: Schema) -> None:
    """Add to one schema what pydantic cannot know."""
    model = _model(name)
    text = inspect.getdoc(model) or ""
    explained = dict(_attributes(text))
    keys = {field: f.alias or field for field, f in model.model_fields.items()}
    properties: dict[str, Schema] = part["properties"]
    del part["title"]
    part["description"] = text.partition("\n")[0]
    for field, key in keys.items():
        entry = properties[key]
        entry.pop("title", None)
        if entry.get("default", "") is None:
            del entry["default"]
        told = explained.get(field) or _sentence(SETTINGS[field].about)
        more = entry.get("description")
        entry["description"] = f"{told.rstrip('.')}; {more}." if more else told
    if name in _ONE_OF:
        part["oneOf"] = [_given(key) for key in _ONE_OF[name]]
    if name in _ALL_OF:
        part["allOf"] = [_ALL_OF[name]]
    for key, known in _KNOWN.get(name, dict)().items():
        properties[key] = {**properties[key], **known}


def _attributes(text: str) -> Iterator[tuple[str, str]]:
    """What the docstring of a schema says of each of its fields."""
    _, _, entries = text.partition("Attributes:\n")
    for match in _ENTRY.finditer(entries):
        yield match[1], " ".join(match[2].split())


def _sentence(about: str) -> str:
    return f"{about[0].upper()}{about[1:]}."


def _given(key: str) -> Schema:
    """That a key stands in the file, with a value."""
    return {"required": [key], "properties": {key: {"not": {"type": "null"}}}}


def _in_scenario() -> dict[str, Schema]:
    return {
        "model": _preset(PresetKind.MODEL),
        "system": _preset(PresetKind.SYSTEM),
        "parameter_set": _preset(PresetKind.PARAMETER_SET),
        "objective": {"enum": list(OBJECTIVES)},
        "cost_model": {"enum": [*COST_MODELS.names(), CALIBRATED]},
        "limits": _limits(),
    }


def _in_shared_scenario() -> dict[str, Schema]:
    return {
        "members": {"additionalProperties": _preset(PresetKind.SCENARIO)},
        "objective": {"enum": list(OBJECTIVES)},
    }


def _in_study() -> dict[str, Schema]:
    kinds = (PresetKind.SCENARIO, PresetKind.SHARED_SCENARIO)
    return {
        "scenario": _preset(*kinds),
        "objective": {"enum": [*OBJECTIVES, None]},
    }


def _in_comparison() -> dict[str, Schema]:
    return {
        "scenarios": {"items": _preset(PresetKind.SCENARIO)},
        "objectives": {"items": {"enum": list(OBJECTIVES)}},
    }


def _in_system() -> dict[str, Schema]:
    whole = {"$ref": _reference(schemas.DeviceSpec)}
    return {"device": {"anyOf": [*_preset(PresetKind.DEVICE)["anyOf"], whole]}}


def _in_collective() -> dict[str, Schema]:
    keys = schemas.CollectiveSpec.model_fields
    return {key: {"items": _algorithm()} for key in keys if "algorithm" in key}


def _limits() -> Schema:
    """The metrics that may be bounded, with what bounds look like."""
    bounded = {
        metric.name: {**_metric(metric.unit), "description": _sentence(metric.about)}
        for metric in METRICS.values()
        if not metric.unit or metric.unit in _EXAMPLES
    }
    return {"properties": bounded, "additionalProperties": False}


def _in_parameter_set() -> dict[str, Schema]:
    chosen = {setting.name: _parameter(setting) for setting in SETTINGS.values()}
    return {
        "parameters": {"properties": chosen, "additionalProperties": False},
        "limits": _limits(),
    }


def _in_agent() -> dict[str, Schema]:
    return {"name": {"enum": list(AGENTS.names())}}


_KNOWN: Mapping[str, Callable[[], dict[str, Schema]]] = {
    "AgentSpec": _in_agent,
    "CollectiveSpec": _in_collective,
    "ParameterSetSpec": _in_parameter_set,
    "ScenarioSpec": _in_scenario,
    "SharedScenarioSpec": _in_shared_scenario,
    "StudySpec": _in_study,
    "ComparisonSpec": _in_comparison,
    "SystemSpec": _in_system,
}
"""What some keys of a schema may hold, as the tables of the library say."""


def _metric(unit: str) -> Schema:
    return quantity_schema(unit, _EXAMPLES[unit]) if unit else {"type": "number"}


def _preset(*kinds: PresetKind) -> Schema:
    """The name of a preset, which an editor can offer, or a file."""
    names = [name for kind in kinds for name in preset_names(kind)]
    return {"anyOf": [{"enum": names}, {"type": "string"}]}


def _parameter(setting: Setting) -> Schema:
    """What a parameter set may say of one setting."""
    narrowed: Schema = {
        "properties": {
            "stack": {"const": setting.stack.value},
            "values": {"items": _choice(setting)},
            "per_dimension": {"const": setting.per_dimension},
        }
    }
    if setting.per_dimension:
        narrowed["required"] = ["per_dimension"]
    general = {"$ref": _reference(schemas.ParameterSpec)}
    return {
        "description": _sentence(setting.about),
        "allOf": [general, narrowed],
    }


def _choice(setting: Setting) -> Schema:
    if setting.allowed:
        return {"enum": list(setting.allowed)}
    if setting.unit:
        return quantity_schema(setting.unit, _EXAMPLES[setting.unit])
    if setting.name.endswith("_algorithm"):
        return _algorithm()
    kind = "number" if setting.real else "integer"
    return {"type": kind, "minimum": setting.at_least, "maximum": setting.at_most}


def _algorithm() -> Schema:
    """The name of a collective algorithm, or a windowed one."""
    windowed = {"type": "string", "pattern": "^direct0*[1-9][0-9]{0,8}$"}
    return {"anyOf": [{"enum": list(ALGORITHMS.names())}, windowed]}
