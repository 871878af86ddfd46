"""Whatever a spec file holds, it costs one clear line, and never a hang."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from cosmic.errors import SpecError
from cosmic.io.specs import check_spec
from cosmic.io.yaml_reader import parse_yaml

SAFETY_NET = 30  # seconds; nothing comes near it, and a hang must not stop the tests
LONGEST_LINE = 1000  # characters


@contextmanager
def no_hang() -> Iterator[None]:
    """Break off what does not end."""

    def give_up(*_: object) -> None:
        raise AssertionError("the file hangs the reader")

    old = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(SAFETY_NET)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)


def refusal(path: Path) -> str:
    """The one line about a file that is refused."""
    with no_hang(), pytest.raises(SpecError) as caught:
        check_spec(path)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert len(line) <= LONGEST_LINE
    return line


DP = "  dp: {stack: workload, powers_of_two: {from: 1, to: npus}}"
RULE = "  - heads % tp == 0"
TP = "  tp: npus / (dp * pp * sp)"


def rule(text: str) -> tuple[str, str]:
    """A change of the parameter set: one constraint more."""
    return RULE, f"{RULE}\n  - {json.dumps(text)}"


def dp(body: str) -> tuple[str, str]:
    """A change of the parameter set: what dp may be."""
    return DP, f"  dp: {{stack: workload, {body}}}"


PARAMETER_SETS = {
    "a thousand nested lists": dp(f"values: {'[' * 1000}1{']' * 1000}"),
    "a million values": dp(f"values: [{'1, ' * 1_000_000}1]"),
    "a hundred thousand choices": dp(f"values: {list(range(1, 100_001))}"),
    "a range of a hundred thousand": dp("range: {from: 1, to: 100000}"),
    "a range without end": dp("range: {from: 1, to: 1000000000000000000000000000000}"),
    "a range that goes down": dp("range: {from: 9, to: 1}"),
    "a step of nothing": dp("range: {from: 1, to: 9, step: 0}"),
    "a step backwards": dp("range: {from: 1, to: 9, step: -1}"),
    "a range of nothing in particular": dp("range: {from: many, to: more}"),
    "a step in quantities": dp("range: {from: 1 GB, to: 2 GB, step: 1 B}"),
    "divisors of a giant": dp("divisors_of: 999999999999999999999999"),
    "divisors of the largest count": dp("divisors_of: 1099511627776"),
    "divisors of nothing": dp("divisors_of: 0"),
    "powers from nothing": dp("powers_of_two: {from: 0, to: 8}"),
    "powers without end": dp("powers_of_two: {from: 1, to: 10000000000000000000000}"),
    "no choices": dp("values: []"),
    "a choice twice": dp("values: [1, 1]"),
    "a choice twice, once as another kind": dp("values: [1, true]"),
    "a choice that is not finite": dp("values: [.nan]"),
    "an infinite choice": dp("values: [1e999]"),
    "a choice of nothing": dp("values: [null]"),
    "a negative degree": dp("values: [-4, -2]"),
    "a degree of zero": dp("values: [0]"),
    "a degree that is no number": dp("values: [four]"),
    "a giant degree": dp("values: [9223372036854775808]"),
    "an even larger degree": dp(f"values: [{'9' * 39}]"),
    "more digits than can be": dp(f"values: [{'9' * 5000}]"),
    "two ways to choose": dp("values: [1], divisors_of: 4"),
    "no way to choose": dp("about: none"),
    "a list of degrees": dp("per_dimension: true, values: [1, 2]"),
    "an unknown stack": (DP, DP.replace("workload", "wrkload")),
    "another stack": (DP, DP.replace("workload", "network")),
    "an unknown parameter": (DP, DP.replace("dp", "ddp")),
    "a parameter twice": (DP, f"{DP}\n{DP}"),
    "a parameter and a derived value of one name": (TP, f"{TP}\n  dp: npus"),
    "a derived value and a constant of one name": (TP, f"{TP}\nconstants: {{tp: 4}}"),
    "a parameter and a constant of one name": (TP, f"{TP}\nconstants: {{dp: 4}}"),
    "a constant that the scenario gives": (TP, f"{TP}\nconstants: {{npus: 4}}"),
    "a constant named as a held setting": (TP, f"{TP}\nconstants: {{micro_batch: 4}}"),
    "a constant named as a function": (TP, f"{TP}\nconstants: {{sum: 4}}"),
    "a constant named as a keyword": (TP, f"{TP}\nconstants: {{lambda: 4}}"),
    "a constant named as an accident": (TP, f'{TP}\nconstants: {{"a b": 4}}'),
    "a constant without an end": (TP, f"{TP}\nconstants: {{a: {'7' * 39}}}"),
    "a derived value of itself": (TP, "  tp: tp + 1"),
    "values derived from each other": (TP, f"{TP}\n  a: b + 1\n  b: c\n  c: a"),
    "a value derived from the next, often": (
        TP,
        TP
        + "".join(f"\n  a{i}: a{i + 1} + a{i + 1}" for i in range(1500))
        + "\n  a1500: a0",
    ),
    "a derived power of a power": (TP, f"{TP}\n  a: 9 ** 9 ** 9"),
    "a parameter that is active by itself": dp('values: [1, 2], active_if: "dp > 1"'),
    "parameters active by each other": (
        DP,
        "  dp: {stack: workload, values: [1, 2], active_if: micro_batch > 1}\n"
        "  micro_batch: {stack: workload, values: [1, 2], active_if: dp > 1}",
    ),
    "a parameter that follows itself": dp("values: [1, 2], follows: dp * 2"),
    "a formula of an unknown name": dp("values: [1, 2], follows: ddp * 2"),
    "an inactive value from elsewhere": dp("values: [1, 2], inactive: 3"),
    "a power of a power": rule("9 ** 9 ** 9 > dp"),
    "a power of a chosen one": rule("9 ** (9 ** (9 ** dp)) > 0"),
    "a tower": rule("dp ** dp ** dp ** dp ** dp ** dp < 0"),
    "ten thousand characters": rule("dp > 0 and " * 909 + "dp > 1"),
    "many rules": (RULE, RULE + "\n  - dp >= 1" * 5000),
    "many long rules": (RULE, RULE + ("\n  - " + "dp > 0 and " * 100 + "dp > 0") * 400),
    "many derived values": (
        TP,
        TP + "".join(f"\n  a{i}: dp + {i}" for i in range(5000)),
    ),
    "many constants": (
        TP,
        f"{TP}\nconstants: {{{', '.join(f'c{i}: 1' for i in range(20_000))}}}",
    ),
    "many limits": (
        RULE,
        f"{RULE}\nlimits: {{{', '.join(f'c{i}: 1' for i in range(20_000))}}}",
    ),
    "values derived from each other in a long row": (
        TP,
        TP
        + "".join(f"\n  a{i}: a{i + 1} + a{i + 1}" for i in range(400))
        + "\n  a400: dp",
    ),
    "an algorithm nobody knows": (
        DP,
        f"{DP}\n  all_reduce_algorithm: "
        "{stack: collective, per_dimension: true, values: [rign]}",
    ),
    "a sum of all": rule("+".join(["dp"] * 600) + " < 0"),
    "a string that is long": rule('topology[0] == "' + "a" * 1900 + '"'),
    "a string repeated": rule('"a" * 1000000000 == "b"'),
    "a deep formula": rule("(" * 900 + "dp" + ")" * 900),
    "a deep negation": rule("-" * 1900 + "dp > 0"),
    "deep calls": rule("abs(" * 450 + "dp" + ")" * 450),
    "a division by zero": rule("dp / 0 > 1"),
    "a shift": rule("1 << 10000000000 > dp"),
    "a call of the system": rule("__import__('os').system('true') == 0"),
    "an attribute": rule("dp.__class__ == 1"),
    "a comprehension": rule("sum([x for x in range(10 ** 9)]) > dp"),
    "a lambda": rule("(lambda: dp)() > 1"),
    "a walrus": rule("(x := dp) > 1"),
    "a format": rule('f"{dp}" == "1"'),
    "an imaginary number": rule("dp > 1j"),
    "a string in arithmetic": rule("dp + 'a' > 1"),
    "a vector as a condition": rule("topology"),
    "a string as a condition": rule("'yes'"),
    "an order of words and numbers": rule("topology[0] < 1"),
    "an index beyond": rule("bandwidth[99] > 0"),
    "an index that is a word": rule("bandwidth['a'] > 0"),
    "an unknown name": rule("hads % tp == 0"),
    "nothing": rule(""),
    "two lines": rule("dp >\n\n 1 )"),
    "what cannot be": rule("dp > 1000000"),
    "rules that leave nothing": (RULE, f"{RULE}\n  - dp > 4\n  - dp < 4"),
    "a zero byte": rule("dp > \0"),
    "scopes of nothing": ("network_only: [network]", "network_only: [netwrk]"),
    "a limit on nothing known": (RULE, f"{RULE}\nlimits: {{runtme: 2 s}}"),
    "a limit without a unit": (RULE, f"{RULE}\nlimits: {{runtime: 2}}"),
    "a negative limit": (RULE, f"{RULE}\nlimits: {{runtime: -2 s}}"),
    "a negative plain limit": (RULE, f"{RULE}\nlimits: {{mfu: -2}}"),
    "an infinite limit": (RULE, f"{RULE}\nlimits: {{mfu: .inf}}"),
    "a limit in no unit": (RULE, f"{RULE}\nlimits: {{tokens_per_second: 5 1/s}}"),
}


@pytest.mark.parametrize("name", PARAMETER_SETS)
def test_a_hostile_parameter_set_costs_one_line(tiny_folder: Path, name: str) -> None:
    old, new = PARAMETER_SETS[name]
    path = tiny_folder / "parameter_set.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))

    assert "parameter_set" in refusal(tiny_folder / "scenario.yaml")


def test_parameters_too_large_to_tie_are_refused(tiny_folder: Path) -> None:
    path = tiny_folder / "parameter_set.yaml"
    text = path.read_text().replace(DP, dp("range: {from: 1, to: 16000}")[1])
    text = text.replace(
        "values: [1, 2, 4]}\n  sch", "range: {from: 1, to: 16000}}\n  sch"
    )
    path.write_text(text.replace(RULE, "  - dp * chunks % 97 == 3"))

    assert "cannot be compiled" in refusal(tiny_folder / "scenario.yaml")


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n"
    for i in range(12)
)
DOCUMENTS: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b" \n\n  \n",
    "a remark": b"# nothing\n",
    "null": b"null",
    "a list": b"[kind, model]",
    "a number": b"42",
    "text": b"kind model",
    "bytes of a picture": bytes(range(256)) * 40,
    "zero bytes": b"\0" * 10_000,
    "half a character": b"kind: \xc3",
    "wide characters": "kind: model".encode("utf-16"),
    "too many bytes": b"#" * 11_000_000,
    "deep lists": b"[" * 100_000,
    "deep mappings": b"{a: " * 50_000,
    "deep dashes": b"- " * 100_000,
    "deep indentation": b"".join(b" " * i + b"a:\n" for i in range(3000)),
    "a million values": b"kind: model\nlayers: [" + b"1," * 1_000_000 + b"1]",
    "a million keys": b"".join(b"k%d: 1\n" % i for i in range(1_000_000)),
    "a long key": b"k" * 1_000_000 + b": 1",
    "a long value": b"kind: " + b"m" * 5_000_000,
    "an alias bomb": BOMB.encode(),
    "an alias of itself": b"kind: &k [*k]",
    "an alias of nothing": b"kind: *k",
    "a merge": b"a: &a {kind: model}\n<<: *a",
    "a tag": b"!!python/object/apply:os.system ['true']",
    "two documents": b"kind: model\n---\nkind: model",
    "no end of a string": b'kind: "model',
    "a tab": b"kind:\n\tmodel",
    "an unknown kind": b"kind: modle",
    "kind is a list": b"kind: [model]",
    "kind is nothing": b"kind:",
    "kind is a number": b"kind: 1e999",
    "kind twice": b"kind: model\nkind: model",
    "keys without end": b"kind: model\n"
    + b"".join(b"x%d: 1\n" % i for i in range(40_000)),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_hostile_document_costs_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_bytes(DOCUMENTS[name])

    assert "hostile.yaml" in refusal(path)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("scenario.yaml", "model: model.yaml", "model: scenario.yaml"),
        ("scenario.yaml", "system: system.yaml", "system: scenario.yaml"),
        ("scenario.yaml", "set: parameter_set.yaml", "set: scenario.yaml"),
        ("scenario.yaml", "model: model.yaml", "model: ../../nowhere/model.yaml"),
        ("scenario.yaml", "model: model.yaml", "model: ."),
        ("scenario.yaml", "model: model.yaml", 'model: ""'),
        ("scenario.yaml", "model: model.yaml", "model: /dev/zero"),
        ("scenario.yaml", "model: model.yaml", f"model: {'m' * 5000}.yaml"),
        ("scenario.yaml", "model: model.yaml", 'model: "a\\0b.yaml"'),
        ("system.yaml", "device:\n", "device: system.yaml\nabout:\n"),
        (
            "system.yaml",
            "npus_count: 4, bandwidth: 100",
            "npus_count: 0, bandwidth: 100",
        ),
        (
            "system.yaml",
            "npus_count: 4, bandwidth: 100",
            f"npus_count: {2**40}, bandwidth: 100",
        ),
        ("system.yaml", "bandwidth: 100 GB/s, latency", "bandwidth: -1 GB/s, latency"),
        ("system.yaml", "bandwidth: 100 GB/s, latency", "bandwidth: 0 GB/s, latency"),
        (
            "system.yaml",
            "bandwidth: 100 GB/s, latency",
            "bandwidth: 1e999 GB/s, latency",
        ),
        ("system.yaml", "bandwidth: 100 GB/s, latency", "bandwidth: nan GB/s, latency"),
        ("system.yaml", "latency: 100 ns", "latency: -100 ns"),
        ("system.yaml", "memory_capacity: 1 GB", "memory_capacity: 0 GB"),
        ("system.yaml", "peak_flops: 1 TFLOP/s", "peak_flops: -1 TFLOP/s"),
        ("system.yaml", "chunks: 2", "chunks: 0"),
        ("system.yaml", "chunks: 2", f"chunks: {10**39}"),
        ("system.yaml", "[ring, halvingDoubling]", "[ring, rign]"),
        ("model.yaml", "layers: 4", "layers: -4"),
        ("model.yaml", "layers: 4", "layers: 0"),
        ("model.yaml", "layers: 4", f"layers: {10**39}"),
        ("model.yaml", "layers: 4", "layers: .nan"),
        ("model.yaml", "heads: 8", "heads: 7"),
        ("model.yaml", "vocabulary: 1000", "vocabulary: -1"),
        ("scenario.yaml", "batch: 32", "batch: 0"),
        ("scenario.yaml", "batch: 32", "batch: .inf"),
        ("scenario.yaml", "dp: 4", "dp: -4"),
        ("scenario.yaml", "dp: 4", f"dp: {2**40}"),
        ("scenario.yaml", "objective: runtime", "objective: fame"),
    ],
)
def test_a_hostile_reference_or_size_costs_one_line(
    tiny_folder: Path, file: str, old: str, new: str
) -> None:
    path = tiny_folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))

    assert refusal(tiny_folder / "scenario.yaml")


@pytest.mark.parametrize("scenario", ["study.yaml", "model.yaml", ".", "nowhere.yaml"])
def test_a_study_of_anything_else_costs_one_line(
    tiny_folder: Path, scenario: str
) -> None:
    path = tiny_folder / "study.yaml"
    path.write_text(f"kind: study\nscenario: {scenario}\n")

    assert "study.yaml" in refusal(path)


STUDY = """
kind: study
scenario: scenario.yaml
scope: network_only
objective: runtime
agent: {name: random, options: {}}
trials: 3
seed: 1
batch: 2
"""
STRANGE: tuple[object, ...] = (
    [],
    {},
    [[]],
    {"a": 1},
    None,
    "",
    "text",
    0,
    -1,
    1.5,
    True,
    10**39,
)


def places(document: object, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every value of a document stands."""
    inner: dict[Any, object] = {}
    if isinstance(document, dict):
        inner = document
    elif isinstance(document, list):
        inner = dict(enumerate(document))
    for key, value in inner.items():
        yield (*place, key)
        yield from places(value, (*place, key))


def changed(document: Any, place: tuple[Any, ...], value: object) -> Any:
    """A document with another value at one place."""
    copy = deepcopy(document)
    here = copy
    for key in place[:-1]:
        here = here[key]
    here[place[-1]] = value
    return copy


@pytest.mark.parametrize(
    "file",
    ["model.yaml", "system.yaml", "parameter_set.yaml", "scenario.yaml", "study.yaml"],
)
def test_any_value_anywhere_is_taken_or_costs_one_line(
    tiny_folder: Path, file: str
) -> None:
    (tiny_folder / "study.yaml").write_text(STUDY)
    path = tiny_folder / file
    whole = path if file == "study.yaml" else tiny_folder / "scenario.yaml"
    document = parse_yaml(path.read_text(), file)
    refused = 0
    with no_hang():
        for place in places(document):
            for value in STRANGE:
                path.write_text(json.dumps(changed(document, place, value)))
                refused += refused_in_one_line(whole)

    assert refused > len(list(places(document)))  # most of them are


def refused_in_one_line(path: Path) -> bool:
    """Whether a file is refused; if so, in one line."""
    try:
        check_spec(path)
    except SpecError as error:
        line = str(error)
    else:
        return False
    assert len(line.splitlines()) == 1
    assert len(line) <= LONGEST_LINE
    return True
