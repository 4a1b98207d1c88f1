"""The server behind a database that the settings name, with the password that they say where to find."""

from hybrid_bridge.adapters.postgresql.server import Server
from hybrid_bridge.custody.databases import PostgresPlace
from hybrid_bridge.custody.passphrases import reader


def server_of(place: PostgresPlace, key: str, program: str) -> Server:
    """No connection is made yet.

    Args:
        place: of the database.
        key: the setting that names it, for errors.
        program: as the server's administrator sees us.
    """
    return Server(
        host=place.host,
        port=place.port,
        user=place.user,
        database=place.name,
        password=reader(place.password, key),
        ca=place.ca,
        is_here=place.is_here,
        key=key,
        program=program,
    )
