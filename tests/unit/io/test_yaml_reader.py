"""The reader takes what a spec needs, and refuses the rest in one line, at once."""

import json
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cosmic.errors import SpecError
from cosmic.io.yaml_reader import MAX_BYTES, Document, parse_yaml, read_yaml


def documents(omit: str = "") -> st.SearchStrategy[Document]:
    """Documents whose text has none of the characters in `omit`."""
    characters = st.characters(
        codec="utf-8",
        # control characters and line separators: here YAML and JSON part
        exclude_categories=["Cc", "Cn", "Zl", "Zp"],
        exclude_characters="\ufeff" + omit,
    )
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(-(10**30), 10**30)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(characters)
    )
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text("abc -:#é", max_size=9), inner, max_size=4)
        ),
        max_leaves=12,
    )


def billion_laughs() -> str:
    """Ten lines of which each holds the one before it nine times."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join(lines)


HOSTILE = {
    "deep lists": "[" * 1_000_000,
    "deep blocks": "- " * 100_000,
    "deep mappings": "{a: " * 10_000,
    "deep keys": "? " * 10_000,
    "many values": "[1" + ",1" * 1_000_000 + "]",
    "many keys": "".join(f"k{n}: {n}\n" for n in range(200_000)),
    "one key often": "a: 1\n" * 200_000,
    "alias bomb": billion_laughs(),
    "long text by alias": f"a: &a {'x' * 5_000_000}\nb: [{','.join(['*a'] * 1000)}]",
    "alias in itself": "a: &a [*a]",
    "long number": "a: " + "9" * 1_000_000,
    "long key": "? " + "k" * 1_000_000 + "\n: 1",
    "tag": "a: !!python/object/apply:os.system [ls]",
}


@given(document=documents())
def test_json_is_read_as_json(document: Document) -> None:
    assert parse_yaml(json.dumps(document, ensure_ascii=False), "f") == document


# without digits, since 1e0 is text in the YAML 1.1 of this writer, and a number here
@given(document=documents(omit="0123456789"))
def test_what_a_yaml_writer_writes_is_read_back(document: Document) -> None:
    assert parse_yaml(yaml.safe_dump(document, allow_unicode=True), "f") == document


@given(text=st.text())
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        parse_yaml(text, "f.yaml")
    except SpecError as error:
        message = str(error)
    else:
        message = "f.yaml: "

    assert message.startswith("f.yaml: ")
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_costs_one_short_line_and_little_time(text: str) -> None:
    start = time.process_time()

    with pytest.raises(SpecError) as caught:
        parse_yaml(text, "f.yaml")

    assert time.process_time() - start < 1.0
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.yaml: the file is empty @ $"),
        ("# a word\n", "f.yaml: the file is empty @ $"),
        ("a: 1\nb: 2\na: 3", "f.yaml: key 'a' stands twice, on lines 1 and 3 @ $"),
        ("x: {a: 1, a: 2}", "f.yaml: key 'a' stands twice, on lines 1 and 1 @ $.x"),
        ("a: 1\n---\na: 2", "f.yaml: holds more than one document @ $"),
        ("a:\n\t- b", "f.yaml: line 2, column 1: a tab; indent with spaces @ $"),
        ("a: [.nan]", "f.yaml: '.nan' is not a finite number @ $.a[0]"),
        ("a: -.inf", "f.yaml: '-.inf' is not a finite number @ $.a"),
        ("a: 1e999", "f.yaml: '1e999' is not a finite number @ $.a"),
        ("a: *b", "f.yaml: alias 'b' has no anchor before it @ $.a"),
        ("a: &a [*a]", "f.yaml: alias 'a' holds itself @ $.a[0]"),
        ("[a]: 1", "f.yaml: a key must be text, but the one on line 1 is not @ $"),
        ("a: !x b", "f.yaml: tags are not read, and here is '!x' @ $.a"),
        ("[" * 200, "f.yaml: is nested more than 100 deep @ $[0][0][0]"),
        (
            "a: b: c",
            "f.yaml: line 1, column 5: mapping values are not allowed "
            "in this context @ $.a",
        ),
    ],
)
def test_each_mistake_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_yaml(text, "f.yaml")

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),  # YAML 1.1 reads false
        ("on", "on"),
        ("1e9", 1e9),  # YAML 1.1 reads text
        (".5", 0.5),
        ("1:30", "1:30"),  # YAML 1.1 reads 90
        ("010", 10),  # YAML 1.1 reads 8
        ("2026-11-22", "2026-11-22"),
        ("50 GB/s", "50 GB/s"),
        ("'8'", "8"),
        ("true", True),
        ("~", None),
    ],
)
def test_plain_text_means_what_yaml_1_2_says(text: str, value: Document) -> None:
    assert parse_yaml(f"a: {text}", "f") == {"a": value}


def test_keys_are_text_as_written() -> None:
    assert parse_yaml("{1: a, true: b, null: c}", "f") == {
        "1": "a",
        "true": "b",
        "null": "c",
    }


def test_an_alias_stands_for_what_its_anchor_marks() -> None:
    text = "a: &shape {size: 8}\nb: *shape"

    assert parse_yaml(text, "f") == {"a": {"size": 8}, "b": {"size": 8}}


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_bytes(b"\xef\xbb\xbfsize: 8\n")  # with the mark that some editors add

    assert read_yaml(path) == {"size": 8}


def test_a_missing_file_gets_a_near_one(tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text("size: 8")

    with pytest.raises(SpecError, match=r"no such file; did you mean 'cluster\.yaml'"):
        read_yaml(tmp_path / "clster.yaml")


def test_a_missing_folder_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"^x.yaml: no such file @ \$$"):
        read_yaml(tmp_path / "no" / "x.yaml", "x.yaml")


@pytest.mark.parametrize("name", ["", "a\0b", "n" * 5000])
def test_what_cannot_be_opened_is_said_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpecError, match="cannot be read: "):
        read_yaml(tmp_path / name, "x.yaml")


def test_a_file_must_be_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_bytes(b"size: \xff")

    with pytest.raises(SpecError, match=r"^c.yaml: not UTF-8 text, at byte 7 @ \$$"):
        read_yaml(path, "c.yaml")


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))

    with pytest.raises(SpecError, match="larger than 10 MB"):
        read_yaml(path)
