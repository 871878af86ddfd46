"""How the source files of the package are made."""

import ast
from collections.abc import Iterator
from pathlib import Path

import cosmic

ROOT = Path(cosmic.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
LONGEST = 400  # lines
WHOLE = {  # compiled code of one run, all in one file: numba's cache sees no other
    ROOT / "simulation/astra_sim/kernel.py",
    ROOT / "simulation/kernels.py",
}

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def tree(file: Path) -> ast.Module:
    """The syntax of a file."""
    return ast.parse(file.read_text(encoding="utf-8"))


def public(node: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """Public definitions of a module or class, and those inside its classes."""
    for child in node.body:
        if isinstance(child, Definition) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from public(child)


def exempt(node: Definition) -> bool:
    """An override is explained where it is first declared; an overload at its end."""
    marks = {ast.unparse(mark).rpartition(".")[2] for mark in node.decorator_list}
    return bool(marks & {"override", "overload", "setter"})


def test_no_source_file_is_longer_than_the_wall() -> None:
    lengths = {
        file: len(file.read_text("utf-8").splitlines())
        for file in FILES
        if file not in WHOLE
    }

    assert [
        f"{f.relative_to(ROOT)}: {n}" for f, n in lengths.items() if n > LONGEST
    ] == []


def test_every_file_begins_with_a_docstring() -> None:
    assert [str(file) for file in FILES if not ast.get_docstring(tree(file))] == []


def test_every_public_definition_has_a_docstring() -> None:
    missing = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}"
        for file in FILES
        for node in public(tree(file))
        if not ast.get_docstring(node) and not exempt(node)
    ]

    assert missing == []


def test_an_inner_package_file_holds_one_docstring_and_nothing_else() -> None:
    inner = [file for file in FILES if file.name == "__init__.py"][1:]

    assert FILES[0] == ROOT / "__init__.py"
    assert [str(file) for file in inner if len(tree(file).body) != 1] == []
