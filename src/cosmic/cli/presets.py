"""`cosmic presets`: what comes with the package, by name."""

from collections.abc import Iterator

from cosmic.cli.console import say, show_table, write_json
from cosmic.errors import SpecError, UnknownNameError
from cosmic.io.presets import PresetKind, preset_names, preset_path
from cosmic.io.yaml_reader import read_yaml


def list_presets(kind: str | None, *, as_json: bool) -> None:
    """Print the names of presets with one line about each.

    Args:
        kind: Such as `models` or `scenario`; all kinds, if left out.
        as_json: Whether to print JSON.

    Raises:
        UnknownNameError: There is no such kind.
    """
    kinds = tuple(PresetKind) if kind is None else (preset_kind(kind),)
    found = {kind.value: dict(_about(kind)) for kind in kinds}
    if as_json:
        write_json(found)
        return
    for title, presets in found.items():
        show_table(
            title.replace("_", " "), ("name", "about"), presets.items(), words=(0, 1)
        )
    say()
    say("cosmic presets show NAME prints one; copy it to make your own.")


def show_preset(name: str, word: str | None = None, *, as_json: bool) -> None:
    """Print the file of a preset.

    Args:
        name: Of the preset.
        word: Its kind, such as `models`; any, if left out.
        as_json: Whether to print JSON.

    Raises:
        SpecError: There is none of that name, or more than one.
    """
    meant = tuple(PresetKind) if word is None else (preset_kind(word),)
    kinds = [kind for kind in meant if name in preset_names(kind)]
    if not kinds:
        known = [known for kind in meant for known in preset_names(kind)]
        raise UnknownNameError("preset", name, known)
    if len(kinds) > 1:
        nouns = " and a ".join(kind.noun for kind in kinds)
        raise SpecError(
            f"{name!r} is the name of a {nouns}; write cosmic presets "
            f"{kinds[0].value} {name}"
        )
    path = preset_path(kinds[0], name)
    if as_json:
        write_json({"kind": kinds[0].noun, "name": name, "file": read_yaml(path)})
    else:
        print(path.read_text(encoding="utf-8"), end="")  # noqa: T201 - as it stands


def preset_kind(text: str) -> PresetKind:
    """The kind that a word names, such as `models` or `scenario`.

    Raises:
        UnknownNameError: It names none.
    """
    by_name = {kind.value: kind for kind in PresetKind}
    by_name |= {kind.name.lower(): kind for kind in PresetKind}
    word = text.lower().replace("-", "_").replace(" ", "_")
    if word not in by_name:
        raise UnknownNameError("kind of preset", text, {k.value for k in PresetKind})
    return by_name[word]


def _about(kind: PresetKind) -> Iterator[tuple[str, str]]:
    for name in preset_names(kind):
        document = read_yaml(preset_path(kind, name))
        about = document.get("about", "") if isinstance(document, dict) else ""
        yield name, str(about)
