"""Spec files: a strict reader of YAML, and so of JSON.

Of YAML it reads what a spec needs: mappings with text keys, lists, text, numbers,
true, false and null, in the sense of YAML 1.2 (so `no` is text and 1e9 is a number);
anchors and aliases too. Tags, numbers that are not finite and a key that stands twice
are refused. Work is bounded before it is done: a hostile file costs one line and (with
libyaml, which PyYAML's wheels carry) less than a second, however much it would unfold.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from cosmic.errors import SpecError, suggest
from cosmic.io.spec_error import Place, show_value, spec_error

Document: TypeAlias = (
    "bool | int | float | str | list[Document] | dict[str, Document] | None"
)

MAX_BYTES = 10_000_000
MAX_VALUES = 25_000  # an alias counts as all that it stands for
MAX_DEPTH = 100

_MAX_DIGITS = 40
_MAX_KEY = 200  # characters
_LONG_TEXT = 1000  # characters of text that count as one more value
_INTEGER = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = (
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
)
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def read_yaml(path: Path, name: str = "") -> Document:
    """Read a file.

    Args:
        path: The file.
        name: What error messages call it; its path if left out.

    Raises:
        SpecError: If there is no such file, or it is not as it should be.
    """
    name = name or str(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise spec_error(name, f"no such file{_hint(path)}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise spec_error(name, f"cannot be read: {reason.lower()}") from error
    if len(content) > MAX_BYTES:
        raise spec_error(name, f"larger than {MAX_BYTES // 10**6} MB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise spec_error(name, f"not UTF-8 text, at byte {error.start + 1}") from error
    return parse_yaml(text, name)


def parse_yaml(text: str, file_name: str) -> Document:
    """Read the text of a file.

    Raises:
        SpecError: If it is not one sound document; `file_name` leads the message.

    >>> parse_yaml("{size: 8, bandwidth: 50 GB/s, ratio: 1e-3}", "cluster.yaml")
    {'size': 8, 'bandwidth': '50 GB/s', 'ratio': 0.001}
    """
    return _Reader(text, file_name).document()


@dataclass(frozen=True, slots=True)
class _Part:
    """A value, how many values it holds (itself too), and how deep they go."""

    value: Document
    size: int
    height: int = 0


class _Reader:
    """Builds one document from the events of the YAML parser, and keeps count."""

    def __init__(self, text: str, file_name: str) -> None:
        self._text = text
        self._file_name = file_name
        self._events: Iterator[yaml.Event] = iter(())
        self._anchors: dict[str, _Part | None] = {}  # None while being built
        self._count = 0
        self._place: Place = ()

    def document(self) -> Document:
        try:
            self._events = yaml.parse(self._text, Loader=_LOADER)
            self._next()  # the stream begins
            if isinstance(self._next(), yaml.StreamEndEvent):
                raise self._error("the file is empty")
            part = self._part(self._next(), ())
            self._place = ()
            self._next()  # the document ends
            if not isinstance(self._next(), yaml.StreamEndEvent):
                raise self._error("holds more than one document")
        except yaml.YAMLError as error:
            raise self._error(_explain(error, self._text)) from error
        return part.value

    def _next(self) -> yaml.Event:
        return next(self._events)

    def _error(self, message: str) -> SpecError:
        return spec_error(self._file_name, message, self._place)

    def _part(self, event: yaml.Event, place: Place) -> _Part:
        """The value that begins with `event`, and stands at `place`."""
        self._place = place
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor, len(place))
        assert isinstance(event, yaml.NodeEvent)
        size = 1
        if isinstance(event, yaml.ScalarEvent):
            size += len(event.value) // _LONG_TEXT
        self._take(size, len(place))
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        part = self._fresh(event, place, size)
        if event.anchor is not None:
            self._anchors[event.anchor] = part
        return part

    def _fresh(self, event: yaml.NodeEvent, place: Place, size: int) -> _Part:
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise self._error(f"tags are not read, and here is {show_value(tag)}")
        match event:
            case yaml.MappingStartEvent():
                return self._mapping(place)
            case yaml.SequenceStartEvent():
                return self._list(place)
            case yaml.ScalarEvent(value=text, style=None | ""):
                return _Part(self._plain(text), size)
            case _:
                assert isinstance(event, yaml.ScalarEvent)
                return _Part(event.value, size)

    def _mapping(self, place: Place) -> _Part:
        values: dict[str, Document] = {}
        lines: dict[str, int] = {}
        size, height = 1, 0
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            self._place = place
            key, line = self._key(event), _line(event)
            if key in lines:
                raise self._error(
                    f"key {show_value(key)} stands twice, "
                    f"on lines {lines[key]} and {line}"
                )
            part = self._part(self._next(), (*place, key))
            values[key], lines[key] = part.value, line
            size, height = size + part.size, max(height, part.height + 1)
        return _Part(values, size, height)

    def _list(self, place: Place) -> _Part:
        values: list[Document] = []
        size, height = 1, 0
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            part = self._part(event, (*place, len(values)))
            values.append(part.value)
            size, height = size + part.size, max(height, part.height + 1)
        return _Part(values, size, height)

    def _key(self, event: yaml.Event) -> str:
        if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
            raise self._error(
                f"a key must be text, but the one on line {_line(event)} is not"
            )
        if len(event.value) > _MAX_KEY:
            raise self._error(f"key {show_value(event.value)} is too long")
        return str(event.value)

    def _alias(self, anchor: str | None, depth: int) -> _Part:
        if anchor is None or anchor not in self._anchors:
            raise self._error(f"alias {show_value(anchor)} has no anchor before it")
        part = self._anchors[anchor]
        if part is None:
            raise self._error(f"alias {show_value(anchor)} holds itself")
        self._take(part.size, depth + part.height)
        return part

    def _take(self, size: int, depth: int) -> None:
        """Count values before they are built, and refuse what is too much."""
        self._count += size
        if self._count > MAX_VALUES:
            raise self._error(f"holds more than {MAX_VALUES} values")
        if depth > MAX_DEPTH:
            self._place = self._place[:3]  # the whole place would fill the screen
            raise self._error(f"is nested more than {MAX_DEPTH} deep")

    def _plain(self, text: str) -> Document:
        """The value of text without quotes."""
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            if len(text) > _MAX_DIGITS:
                raise self._error(f"{show_value(text)} has too many digits")
            return int(text)
        number = _NUMBER.fullmatch(text)
        if _NOT_FINITE.fullmatch(text) or (number and math.isinf(float(text))):
            raise self._error(f"{show_value(text)} is not a finite number")
        return float(text) if number else text


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _explain(error: yaml.YAMLError, text: str) -> str:
    """What the YAML parser found, in one line, with line and column."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return f"not YAML: {str(error).splitlines()[0]}"
    where = f"line {mark.line + 1}, column {mark.column + 1}"
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in line[: mark.column + 1]:
        return f"{where}: a tab; indent with spaces"
    problem = getattr(error, "problem", None) or "not YAML"
    return f"{where}: {problem}"


def _hint(path: Path) -> str:
    """The name of a file beside it that may have been meant."""
    try:
        beside = sorted(p.name for p in path.parent.iterdir() if p.is_file())
    except OSError:
        return ""
    advice = suggest(path.name, beside)
    return f"; {advice}" if advice.startswith("did you mean") else ""
