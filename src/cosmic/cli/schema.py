"""`cosmic schema`: the JSON Schema of spec files, for editors."""

import json
from pathlib import Path

from cosmic.cli.console import say, write_json
from cosmic.cli.presets import preset_kind
from cosmic.io.json_schema import json_schema
from cosmic.io.presets import PresetKind


def schema(kind: str | None, *, output: str | None) -> None:
    """Print a schema, or write it to a folder.

    Args:
        kind: Such as `scenario`; all kinds in one schema, if left out.
        output: The folder, made if there is none; the screen, if left out.

    Raises:
        UnknownNameError: There is no such kind.
        OSError: The file cannot be written.
    """
    found = None if kind is None else preset_kind(kind)
    if output is None:
        write_json(json_schema(found))
        return
    kinds: tuple[PresetKind | None, ...] = (found,)
    if found is None:
        kinds = (None, *PresetKind)
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    for each in kinds:
        path = folder / f"{each.name.lower() if each else 'cosmic'}.schema.json"
        text = json.dumps(json_schema(each), indent=2, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
        say(str(path))
