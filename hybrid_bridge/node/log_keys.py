"""Who holds the log's keys: with a consensus engine several members do, so that notes and receipts need no single one.

Whoever holds them shows it by telling lines, and goes on to; nothing else is believed of a member, neither its role nor
how it was founded. Source: ADR 61.
"""

from collections.abc import Iterator, Set
from typing import Final

from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.mldsa import MldsaKey
from hybrid_bridge.errors import FieldMalformed, KeyUnusable, SequencerStays
from hybrid_bridge.node.directory import Directory, Member
from hybrid_bridge.node.proposals import ADMIT, Handed, Proposal, handed
from hybrid_bridge.node.settings import LOG_KEYS, LOG_MLDSA
from hybrid_bridge.node.view import View

RECENT: Final = 16  # newest sizes with a quorum: of one of them whoever holds the keys and lives has told a line
WORDS: Final = "is handed the log's keys, sealed"


def holders(view: View) -> set[str]:
    """Members of today that are known to hold the log's keys: ourselves, and who has told us a recent line.

    Who told lines and tells no more may be lost, or has destroyed its copy: nobody is to build on it.
    """
    ours = {view.name} if view.keys.log is not None else set()
    telling = {name for name, size in view.logbook.tellers.items() if size > view.progress.quorum - RECENT}
    return {name for name in ours | telling if view.directory.is_member(name)}


def require_kept(view: View, leaving: Set[str], staying: Set[str]) -> None:
    """Return if notes and receipts can be made without those who leave.

    Args:
        view: our stores; what we know of others' keys.
        leaving: names of those who are suspended, removed or left out of the set.
        staying: names of the validators that go on; those among them who leave do not count.

    Raises:
        SequencerStays: one of them holds the keys or did, and of those who stay none is known to.
    """
    directory, sequencer = view.directory, view.directory.sequencer.name
    if directory.engine is None:
        if sequencer in leaving:
            raise SequencerStays(name=sequencer)
        return
    known = holders(view)
    concerned = leaving & (known | view.logbook.tellers.keys() | {sequencer})
    if concerned and not known & (staying - leaving):
        raise SequencerStays(name=min(concerned))


# ── handed to a newcomer ─────────────────────────────────────────────────────────────────────────────────────────────


def handed_to(view: View, member: Member) -> Iterator[Handed]:
    """The log's keys for a new validator under an engine, sealed to it; nothing where we do not hold them ourselves."""
    directory = view.directory
    if directory.engine is None or member.address is None:
        return
    commitments = _commitments(directory)
    for name, seed in view.keys.log_seeds.items():
        yield handed(directory.log_id, member, name, seed, commitments[name])


def taken(proposal: Proposal, member: Member, sealing_key: bytes, directory: Directory) -> dict[str, bytes]:
    """The seeds of the log's keys that a proposal hands to this newcomer, by name: all of them, or none.

    Raises:
        EnvelopeUnopenable: sealed to another key, or for another log.
        KeyUnusable: not the keys that genesis record and directory name.
    """
    found: dict[str, bytes] = {}
    for name, commitment in _commitments(directory).items():
        seed = proposal.secret_for(member, sealing_key, name, commitment)
        if seed is not None:
            found[name] = seed
    wanted = directory.log_keys
    for name in sorted(wanted.keys() | found.keys()) if found else ():
        if name not in found or _public_of(name, found[name]) != wanted.get(name):
            raise KeyUnusable(key=name, rule="the one that the genesis record names, beside the log's others")
    return found


def told_of(proposal: Proposal) -> list[str]:
    """In words, who gets the log's keys by it: the newcomer of its card, or nobody.

    Raises:
        FieldMalformed: somebody else would, of whom its words say nothing.
    """
    names = {one.name for one in proposal.secrets if one.kind in LOG_KEYS}
    if not names <= {card.member.name for card in proposal.cards if proposal.kind == ADMIT}:
        raise FieldMalformed(field="proposal.secrets", rule="the log's keys for a newcomer alone")
    return [f"  {name} {WORDS}: it can sign notes and receipts" for name in names]


def _commitments(directory: Directory) -> dict[str, bytes]:
    """As the genesis record has them: what binds a sealed key to its use."""
    genesis = directory.genesis
    return {"log": genesis.log_key, "receipt": genesis.receipt_key, LOG_MLDSA: genesis.log_mldsa_key_hash}


def _public_of(name: str, seed: bytes) -> bytes:
    return MldsaKey(seed).public if name == LOG_MLDSA else PrivateKey.from_seed(seed).public.spki[-32:]
