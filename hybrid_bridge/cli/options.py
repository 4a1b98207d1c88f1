"""Options that stand in many commands, and what they take."""

from pathlib import Path
from typing import Final

import click

from hybrid_bridge.errors import SettingsMalformed

FOLDER: Final = click.Path(path_type=Path, exists=True, file_okay=False)
INPUT: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
OUTPUT: Final = click.Path(path_type=Path, dir_okay=False)

folder_option = click.option("--dir", "folder", type=FOLDER, required=True, help="The member's folder.")
json_option = click.option("--json", "as_json", is_flag=True, help="For machines.")


def url_of(text: str, option: str) -> str:
    """A URL, or the one in the file of `file:PATH`: it may hold a key, which no list of processes should show.

    Raises:
        SettingsMalformed: no file with text.
    """
    if not text.startswith("file:"):
        return text
    try:
        return Path(text.removeprefix("file:")).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise SettingsMalformed(key=option, rule="file:PATH, a file with one URL") from None
