"""The sources of the committed contracts as the compiler read them: what a block explorer asks for to verify code.

The answer is standard JSON, the compiler's own input: whoever gives it to the compiler named in `compiler` gets the
committed bytes (CONTRACT §6).
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from posixpath import join, normpath
from typing import Any, Final

import hybrid_bridge
from hybrid_bridge.errors import StoreBroken

WANTED: Final = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]
_IMPORT: Final = re.compile(r'^(?:import "|import \{[^}]*\} from ")([^"]+)";', re.MULTILINE)


def standard_json(name: str) -> str:
    """The compiler's input for the contract `name`, with the settings of its artefact.

    Raises:
        StoreBroken: this installation has no sources, or others than the artefact was compiled from.
    """
    artefact, sources = _artefact(name), _sources()
    lines = (
        f"{sha256(sources[path].encode()).hexdigest()}  {path}\n" for path in _imported(f"src/{name}.sol", sources)
    )
    if sha256("".join(lines).encode()).hexdigest() != artefact["source_sha256"]:
        raise StoreBroken(store=f"abi/{name}.json", rule="compiled from the sources that are here")
    request = {
        "language": "Solidity",
        "sources": {path: {"content": text} for path, text in sources.items()},
        "settings": {**artefact["settings"], "outputSelection": {"*": {"*": WANTED}}},
    }
    return json.dumps(request, indent=1) + "\n"


def compiler_of(name: str) -> str:
    """The compiler's version as explorers list it, e.g. `0.8.37+commit.…`."""
    return str(_artefact(name)["compiler"])


def _artefact(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((files("hybrid_bridge.adapters") / "abi" / f"{name}.json").read_text("utf-8"))
    return read


def _sources() -> dict[str, str]:
    """By path. All of them in one order, used or not: the compiler numbers what it reads.

    A wheel carries them beside the artefacts; in a checkout they are where they always are.
    """
    package = Path(hybrid_bridge.__file__).parent
    for folder in (package / "adapters" / "abi" / "src", package.parent / "contracts" / "src"):
        if folder.is_dir():
            paths = sorted(folder.rglob("*.sol"))
            return {f"src/{path.relative_to(folder).as_posix()}": path.read_text("utf-8") for path in paths}
    raise StoreBroken(store="abi/src", rule="the contracts' sources, as this program's wheel carries them")


def _imported(path: str, sources: Mapping[str, str]) -> list[str]:
    """The source itself and all that it imports, in order."""
    found, todo = set(), [path]
    while todo:
        if (one := todo.pop()) not in found and one in sources:
            found.add(one)
            todo += (normpath(join(one, "..", relative)) for relative in _IMPORT.findall(sources[one]))
    return sorted(found)
