"""Which schema a journal has, and the way to the next. The only door to Alembic, which nothing else needs."""

from typing import Final

from sqlalchemy import Connection, inspect

THERE: Final = "a place without a journal before `init`; there is one, left as it is: `status` shows it"
SCHEMA_VERSION: Final = 2  # that of this program; files in `migrations` lead to it from every released one
_TABLE: Final = "alembic_version"


def version_of(connection: Connection) -> int:
    """The version of this journal; 0 if there is none yet."""
    if connection.dialect.name == "sqlite":
        version: int = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        return version
    if not inspect(connection).has_table(_TABLE):
        return 0
    return int(connection.exec_driver_sql(f"SELECT version_num FROM {_TABLE}").scalar() or 0)  # noqa: S608 a constant


def upgrade(connection: Connection, to: int = SCHEMA_VERSION) -> None:
    """Make all tables, or move those of an older version, in the caller's transaction: whole or not at all."""
    from alembic import command  # noqa: PLC0415 half a second, for `init` and `migrate` only
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "relayers:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    if version_of(connection) == 1 and not inspect(connection).has_table(_TABLE):
        command.stamp(config, "0001")  # the first release had no Alembic
    command.upgrade(config, f"{to:04d}")


def cure(version: int) -> str:
    """What to do about a journal of another schema."""
    found = f"schema version {SCHEMA_VERSION}, not {version}"
    if 0 < version < SCHEMA_VERSION:
        return f"{found}: stop the relayer and run `hybrid-relayer migrate`"
    return f"{found}: use the release that made it, or a newer one"
