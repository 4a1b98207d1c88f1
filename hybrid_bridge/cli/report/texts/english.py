"""`verify` speaks to whoever chose the trust file; a report speaks of them, for its readers are others."""

from typing import Final

ENGLISH: Final = (
    ("the log id that you chose to rely on", "the log id that the maker of this report relied on"),
    ("kept from you", "kept from the maker of this report"),
    ("certified by a root you trust", "certified by a root that the maker of this report relied on"),
    ("certificates issued by roots you trust", "certificates issued by roots that the maker of this report relied on"),
    ("of an issuer you did not name", "of an issuer that the maker of this report did not name"),
    ("whom you know by name", "whom the maker of this report knows by name"),
    ("your source of the block hash", "the source from which the maker of this report had the block hash"),
    ("that your tlog_policy names", "that the tlog_policy of the maker of this report names"),
    ("one of your tsa_roots", "one of the tsa_roots of the maker of this report"),
    ("your clock", "the clock of the maker of this report"),
    ("from your own source", "from a source of one's own"),
)
