"""The explorer's two files: the values for machines, and one page with the values in it."""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.sqlite.file import write_whole
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.errors import StoreBroken

PAGE: Final = "index.html"
VALUES: Final = "explorer.json"
TEMPLATE: Final = "explorer.html"
HOLE: Final = '<script type="application/json" id="values">null</script>'


def values_text(values: Mapping[str, Json]) -> str:
    """ASCII alone, sorted: the same values, the same bytes."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def page_of(values: Mapping[str, Json]) -> str:
    """The page with these values in it, as data that no browser runs.

    A script element ends at the first `</script`, and `<!--` changes how it is read: so no `<` is left in the values.

    Raises:
        StoreBroken: the package has no page, or another one.
    """
    template = (files("hybrid_bridge") / "web" / TEMPLATE).read_text(encoding="utf-8")
    if template.count(HOLE) != 1:
        raise StoreBroken(store=TEMPLATE, rule="the page of this version; reinstall")
    inert = values_text(values).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return template.replace(HOLE, HOLE.replace("null", inert))


def write_page(folder: Path, values: Mapping[str, Json]) -> bool:
    """Both files, each whole or as it was before; False if nothing changed.

    Raises:
        SettingsMalformed: the folder cannot be made or written.
    """
    made = {VALUES: (values_text(values) + "\n").encode("ascii"), PAGE: page_of(values).encode("utf-8")}
    with writing("--output"):
        folder.mkdir(parents=True, exist_ok=True)
        if all((folder / name).is_file() and (folder / name).read_bytes() == data for name, data in made.items()):
            return False
        for name, data in made.items():
            write_whole(folder / name, data)
    return True
