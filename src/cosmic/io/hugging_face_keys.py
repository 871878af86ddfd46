"""The keys of a Hugging Face configuration, each asked for by its type."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from cosmic.errors import SpecError
from cosmic.io.spec_error import show_value
from cosmic.io.yaml_reader import Document
from cosmic.workload.model import FeedForward

_MOST = 2**40
_GATED = {"silu": FeedForward.SWIGLU, "swish": FeedForward.SWIGLU}
_GELUS = ("gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "gelu_python")
_PLAIN = (*_GELUS, "relu", "quick_gelu")
_ACTIVATIONS = ("hidden_activation", "hidden_act", "activation_function")
_LENGTHS = ("max_position_embeddings", "n_positions", "seq_length")


@dataclass(frozen=True, slots=True)
class Keys:
    """What a configuration gives, and what it leaves out.

    Attributes:
        given: The file's keys.
        place: Where in the file they stand.
    """

    given: Mapping[str, Document]
    place: tuple[str, ...] = ()

    def inside(self, name: str) -> "Keys":
        """The keys of a part, such as `text_config`."""
        part = self.given.get(name)
        if not isinstance(part, dict):
            raise self._wrong(name, "a mapping")
        return Keys(part, (*self.place, name))

    def with_defaults(self, defaults: Mapping[str, Document]) -> "Keys":
        """The same, with what a file of its family may leave out."""
        return replace(self, given={**defaults, **self.given})

    def count(self, name: str, default: int = 0, *, needed: bool = True) -> int:
        """A whole number of at least 0; where it is left out, the default.

        Args:
            name: The key.
            default: What it is where nobody says it, or says null; with 0, somebody
                must, if it is needed.
            needed: Whether 0 will not do.

        Raises:
            SpecError: It is missing, or is no such number.
        """
        value = self.given.get(name)
        if value is None:
            if needed and not default:
                raise self._missing(name)
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(name, "a whole number")
        if not (1 if needed else 0) <= value <= _MOST:
            raise self._wrong(name, f"from {1 if needed else 0} to 2**40")
        return value

    def either(self, *names: str) -> int:
        """The number under the first of several names that is there."""
        there = [name for name in names if self.given.get(name) is not None]
        return self.count(there[0] if there else names[0])

    def flag(self, name: str, default: bool) -> bool:
        """True or false; where it is left out, the default."""
        value = self.given.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def text(self, name: str) -> str:
        """A word."""
        value = self.given.get(name)
        if value is None:
            raise self._missing(name)
        if not isinstance(value, str):
            raise self._wrong(name, "text")
        return value

    def numbers(self, name: str) -> list[int]:
        """A list of whole numbers, in order; empty where it is left out."""
        value = self.given.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(name, "a list of whole numbers")
        found = [item for item in value if isinstance(item, int)]
        if len(found) < len(value):
            raise self._wrong(name, "a list of whole numbers")
        return sorted(found)

    def gated_activation(self) -> FeedForward:
        """The kind of a gated feed-forward part, from its activation."""
        name, word = self._activation()
        if word in _GELUS:
            return FeedForward.GEGLU
        if word not in _GATED:
            raise self._wrong(name, f"one of {', '.join((*_GATED, *_GELUS))}")
        return _GATED[word]

    def plain_activation(self) -> None:
        """Check that a feed-forward part of two matrices has a GELU or a ReLU."""
        if not any(name in self.given for name in _ACTIVATIONS):
            return  # Bloom's files say none
        name, word = self._activation()
        if word not in _PLAIN:
            raise self._wrong(name, f"one of {', '.join(_PLAIN)}")

    def _activation(self) -> tuple[str, str]:
        there = [name for name in _ACTIVATIONS if self.given.get(name) is not None]
        name = there[0] if there else "hidden_act"
        return name, self.text(name)

    def classes(self) -> int:
        """Outputs of an image classifier; 0 where the file is of an encoder alone."""
        architectures = self.given.get("architectures")
        names = architectures if isinstance(architectures, list) else []
        if not any("Classification" in str(name) for name in names):
            return 0
        labels = self.given.get("id2label")
        if isinstance(labels, dict):
            return len(labels)
        return self.count("num_labels", 2)  # the default of every configuration

    def most_tokens(self) -> int:
        """The longest sequence that the file speaks of; 0 if it speaks of none."""
        there = [name for name in _LENGTHS if isinstance(self.given.get(name), int)]
        return self.count(there[0], needed=False) if there else 0

    def _missing(self, name: str) -> SpecError:
        near = get_close_matches(name, map(str, self.given), n=1, cutoff=0.8)
        hint = f"; did you mean {show_value(near[0])} to be it?" if near else ""
        return SpecError(f"key {show_value(name)} is missing{hint}")

    def _wrong(self, name: str, expected: str) -> SpecError:
        got = show_value(self.given.get(name))
        return SpecError(f"{name}: expected {expected}, got {got}")


def even_share(hidden: int, heads: int) -> int:
    """The width of a head, where the heads share the hidden width.

    Raises:
        SpecError: It does not divide.
    """
    if hidden % heads:
        raise SpecError(f"{heads} heads do not divide the hidden width of {hidden}")
    return hidden // heads
