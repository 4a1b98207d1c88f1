"""Options that stand in many commands, and what they take."""

from pathlib import Path
from typing import Final

import click

FOLDER: Final = click.Path(path_type=Path, exists=True, file_okay=False)
INPUT: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
OUTPUT: Final = click.Path(path_type=Path, dir_okay=False)

folder_option = click.option("--dir", "folder", type=FOLDER, required=True, help="The member's folder.")
json_option = click.option("--json", "as_json", is_flag=True, help="For machines.")
