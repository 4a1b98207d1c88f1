"""hybrid bridge: a consortium's ledger that anybody can check and only those entitled can read.

The path of one transaction:

1. submit   `steps/submit.py`    a member turns a document into salted disclosures and signs only commitments
2. commit   `steps/commit.py`    the consortium orders it; every member applies the same rules to the same bytes
3. batch    `steps/batch.py`     the final blocks of one epoch become one epoch record, the next leaf of the log
4. attest   `steps/attest.py`    validators sign the new checkpoint, if it extends what they signed before
5. relay    `relayers/relay.py`  relayers put checkpoint and quorum on a public chain, which refuses any rewrite
6. verify   `steps/verify/`      an outsider checks a bundle offline, with a public block hash as the only trust

Names exported here are the library's public API; each is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hybrid_bridge.core.bundle import Bundle, decode_bundle
    from hybrid_bridge.core.evidence import Evidence, Verdict
    from hybrid_bridge.core.trust import Trust, TrustedChain, TrustedLog, parse_trust
    from hybrid_bridge.errors import BridgeError, Malformed, Refuted, Rejected, Undecided
    from hybrid_bridge.steps.verify import PublicSight, verify

__all__ = [
    "BridgeError",
    "Bundle",
    "Evidence",
    "Malformed",
    "PublicSight",
    "Refuted",
    "Rejected",
    "Trust",
    "TrustedChain",
    "TrustedLog",
    "Undecided",
    "Verdict",
    "decode_bundle",
    "parse_trust",
    "verify",
]

_HOMES: Final = {
    "core.bundle": ("Bundle", "decode_bundle"),
    "core.evidence": ("Evidence", "Verdict"),
    "core.trust": ("Trust", "TrustedChain", "TrustedLog", "parse_trust"),
    "errors": ("BridgeError", "Malformed", "Refuted", "Rejected", "Undecided"),
    "steps.verify": ("PublicSight", "verify"),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"hybrid_bridge.{home}"), name)
    raise AttributeError(name)
