"""Keeps the directory what the ledger says: who is a member today, which sets there are, whose card we still lack.

Looked at after each block with a governance record and at each new epoch. Cards are believed by the hashes in the
records; a proposal that a peer hands us counts only for a record that stands in our own ledger. Source: ADR 35.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.business.membership import EVER, STRANGER, newest_set, newest_update, pending_set, standing_of
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.governance import MemberUpdate, SetUpdate
from hybrid_bridge.core.keys import PublicKey
from hybrid_bridge.core.ledger_state import StateReader, entry_key
from hybrid_bridge.core.roll import Named, Roll, Term
from hybrid_bridge.core.secret import Secret, decoy_key_hash
from hybrid_bridge.errors import BridgeError, FieldMismatch, LeaseLost, NotYet, StoreAway, StoreBroken, StoreInUse
from hybrid_bridge.node.cards import Card, parse_card
from hybrid_bridge.node.directory import Directory, Member, read_directory
from hybrid_bridge.node.keys import Keys
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.node.proposals import SET, Proposal, ProposalStore, parse_proposal
from hybrid_bridge.node.settings import read_settings
from hybrid_bridge.node.stores import OUR_OWN, stores_of
from hybrid_bridge.units import Digest, EpochNumber, KeyId

OWN_CARD: Final = "card.json"
PAUSE: Final = 1.0  # seconds before peers are asked again for what we lack
LONG_PAUSE: Final = 5.0  # seconds; a ledger that does not grow is looked at again

_log = logging.getLogger(__name__)


class Handing(Protocol):
    """A peer, as far as it is needed here."""

    @property
    def name(self) -> str:
        """The member's name."""

    def proposal(self, leaf: Digest) -> bytes:
        """The proposal with this governance record."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Every card that the ledger's records name, with its identity key."""

    cards: tuple[Member, ...]  # the founders', then in the order of the ledger
    by_hash: Mapping[Digest, Member]  # those that are no founder's first
    keys: Mapping[KeyId, tuple[str, PublicKey]]


class Enrolment:
    """One member's own view of who belongs to the consortium."""

    def __init__(self, directory: Directory, ledger: SqlLedger, folder: Path, name: str) -> None:
        """Reads the folder's cards and proposals, and follows the ledger as far as it is.

        Raises:
            Malformed, Refuted: a file of the folder is not what it must be.
        """
        self._directory, self._ledger, self._name = directory, ledger, name
        self._roots = (folder / "ca.pem").read_bytes()
        self.store: Final = ProposalStore(folder)
        self._founders, self._founded = directory.members, directory.roll
        self._keys: Keys | None = None
        self._identities: dict[bytes, PublicKey] = {}  # by card
        self._held: set[Digest] = set()  # hashes of the cards that we have
        self._read = self._tidied = 0
        self._turn = threading.Lock()
        self._own = self._own_card(folder / OWN_CARD)
        self.renew()

    @property
    def roots(self) -> bytes:
        """The recognised authorities, PEM."""
        return self._roots

    def hold(self, keys: Keys) -> None:
        """From now on secrets of later sets are opened with these keys."""
        self._keys = keys
        self.renew()

    def renew(self) -> None:
        """Look at the records that are new, and at what the epoch makes of them."""
        with self._turn:
            roll, read = self._extended(self._directory.roll)
            known = self._known(roll)
            self._directory.known, self._directory.keys = known.cards, dict(known.keys)
            self._held = set(known.by_hash)
            today, expected = self._standing(roll, known)
            current = {known.keys[key_id][0]: known.keys[key_id][1] for key_id in today}
            self._directory.identities = dict(known.keys.values()) | current
            self._directory.members, self._directory.expected = tuple(today.values()), expected
            self._open_secrets(roll)
            self._tidy()
            self._directory.roll, self._read = roll, read  # Last: whatever fails before, these records come again.

    def lacking(self) -> list[Digest]:
        """The leaves of the records behind which we lack a card, or the secret of a set that has our key."""
        roll = self._directory.roll
        found = [one.leaf for one in roll.cards if one.card_hash not in self._held]
        terms = [term for term in roll.terms if not (self._has_cards(term) and self._has_secret(term))]
        return found + [term.leaf for term in terms if term.leaf is not None]

    def fetch(self, peers: Iterable[Handing]) -> None:
        """Ask peers for what we lack, until we lack nothing or all were asked.

        Raises:
            NotYet: something is still lacking.
        """
        for peer in peers:
            for leaf in self.lacking():
                try:
                    self.take(leaf, parse_proposal(peer.proposal(leaf)), peer.name)
                except OUR_OWN:
                    raise
                except BridgeError as error:
                    _log.info("%s hands no proposal of record %s: %s", peer.name, leaf.hex()[:16], type(error).__name__)
        if lacking := self.lacking():
            raise NotYet(what=f"the proposal of governance record {lacking[0].hex()}")

    def take(self, leaf: Digest, proposal: Proposal, source: str) -> None:
        """Keep the proposal behind a record of our ledger, if it has what we lack.

        So a peer that makes up one after another fills nothing: each that is kept leaves less to be asked for.

        Raises:
            FieldMismatch: it has no such record, or nothing that we lack.
            TooLong: this source has handed us too many.
            Malformed, Refuted: its cards are not what they must be.
        """
        if leaf not in proposal.leaves:
            raise FieldMismatch(field="proposal.records", expected=leaf.hex(), got="others")
        for card in proposal.cards:
            card.identity(self._roots, self._directory.genesis)
        if not self._brings(proposal):
            raise FieldMismatch(field="proposal", expected="a card or a secret that is lacking", got="none")
        self.store.keep(proposal, source)  # Durable: dead before, and it is asked for again.
        self.renew()

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _own_card(self, path: Path) -> Card | None:
        """A member that is no founder knows itself before the ledger names it."""
        return parse_card(path.read_bytes()) if path.exists() else None

    def _extended(self, roll: Roll) -> tuple[Roll, int]:
        """With the records that are new, and how far they were read."""
        rows = list(self._ledger.governance(self._read))
        headers = (self._ledger.header(height) for _, height, _ in rows)
        epochs = [0 if header is None else header.epoch for header in headers]
        return roll.extended((record for _, _, record in rows), epochs), rows[-1][0] if rows else self._read

    def _known(self, roll: Roll) -> _Known:
        """The founders' cards, those that the records name, and our own, as far as their signatures hold.

        In the order of the ledger, whatever else lies in the folder: a proposal that nobody enacted names nothing.
        Those that never count come first, for nothing is dialled by them; but a set may sit by one (SPEC §7.3).
        """
        keys = {key.key_id: (name, key) for name, key in self._founding_keys()}
        own = [] if self._own is None else [self._own]
        shown = {card.digest: card for proposal in self.store.all() for card in proposal.cards}
        named = [shown[one.card_hash] for one in _never_first(roll) if one.card_hash in shown]
        found: dict[Digest, Member] = {}
        for card in [*own, *named]:
            key = self._identity(card)
            if roll.owners.get(card.certificate_hash) in (None, key.key_id):
                found.pop(card.digest, None)  # where it was named last
                found[card.digest] = card.member
                keys[key.key_id] = (card.member.name, key)
        return _Known((*self._founders, *found.values()), found, keys)

    def _identity(self, card: Card) -> PublicKey:
        """Verified once: it is looked at again with each epoch."""
        data = card.encode()
        if data not in self._identities:
            self._identities[data] = card.identity(self._roots, self._directory.genesis)
        return self._identities[data]

    def _founding_keys(self) -> list[tuple[str, PublicKey]]:
        owners = self._founded.owners.values()
        return [(name, key) for name, key in self._directory.keys.values() if key.key_id in owners]

    def _standing(self, roll: Roll, known: _Known) -> tuple[dict[KeyId, Member], tuple[Member, ...]]:
        """Those with a standing at the newest block's epoch, and those that have one later.

        The suspended are among them: they read on, and may do nothing.
        """
        header = self._ledger.newest()
        if header is None or not roll.certificates:
            return {self._founded.owners[sha256(member.certificate)]: member for member in self._founders}, ()
        epoch = EpochNumber(header.epoch)
        with self._ledger.state() as state:
            keys = [key for key in roll.certificates if standing_of(state, key, epoch) != STRANGER]
            later = [key for key in roll.certificates if key not in keys and standing_of(state, key, EVER) != STRANGER]
        today = {key: card for key in keys if (card := self._newest_card(roll, known, key, epoch)) is not None}
        expected = (self._newest_card(roll, known, key, EVER) for key in later)
        return today, tuple(card for card in expected if card is not None)

    @staticmethod
    def _newest_card(roll: Roll, known: _Known, key_id: KeyId, epoch: EpochNumber) -> Member | None:
        """Of a key's cards that we have the one that the ledger named last by now; else its first."""
        if key_id not in known.keys:
            return None
        for named in roll.cards_of(key_id, epoch):
            if named.card_hash in known.by_hash:
                return known.by_hash[named.card_hash]
        return next((card for card in known.cards if roll.owners.get(sha256(card.certificate)) == key_id), None)

    def _has_cards(self, term: Term) -> bool:
        try:
            for entry in term.validators.entries:
                self._directory.holder(entry)
        except NotYet:
            return False
        return True

    def _brings(self, proposal: Proposal) -> bool:
        """Whether it has a card that is lacking, or opens the secret of a set of which it is."""
        named = {one.card_hash for one in self._directory.roll.named} - self._held
        if any(card.digest in named for card in proposal.cards):
            return True
        keys, terms = self._keys, [term for term in self._directory.roll.terms if term.leaf in proposal.leaves]
        return keys is not None and any(
            not self._has_secret(term) and self._opened([proposal], term, keys) is not None for term in terms
        )

    def _tidy(self) -> None:
        """Proposals that can stand in no block any more, and do not, are waste paper; those that stand are settled."""
        header = self._ledger.newest()
        if header is None or header.epoch == self._tidied:
            return
        with self._ledger.state() as state:
            for proposal in list(self.store.all()):
                if any(state.get(entry_key(leaf)) is not None for leaf in proposal.leaves):
                    self.store.settle(proposal)
                elif proposal.expires_epoch < header.epoch or is_overtaken(state, proposal, EpochNumber(header.epoch)):
                    self.store.drop(proposal)
        self._tidied = header.epoch

    def _has_secret(self, term: Term) -> bool:
        """Whether we hold what a set shares, if one of its keys is ours."""
        addresses = self._directory.addresses(self._name)
        is_ours = self._keys is not None and not set(addresses).isdisjoint(term.validators.addresses)
        return not is_ours or (self._keys is not None and self._keys.secret_of(term.validators.set_id) is not None)

    def _open_secrets(self, roll: Roll) -> None:
        keys = self._keys
        if keys is None:
            return
        for term in roll.terms:
            if term.leaf is None:
                continue
            held = keys.opened.get(term.validators.set_id)
            if held is not None and decoy_key_hash(held.k_set) == term.decoy_key_hash:
                continue
            keys.opened.pop(term.validators.set_id, None)  # of a set of this number that was replaced
            secret = self._opened(self.store.all(), term, keys)
            if secret is not None:
                keys.opened[term.validators.set_id] = Secret(secret, self._directory.genesis.origin_hash)

    def _opened(self, proposals: Iterable[Proposal], term: Term, keys: Keys) -> bytes | None:
        """A set's secret out of the proposals behind its record; one that does not open is none."""
        member = self._directory.member(self._name)
        for proposal in proposals:
            if term.leaf not in proposal.leaves:
                continue
            try:
                secret = proposal.secret_for(member, keys.sealing, SET, term.decoy_key_hash)
            except BridgeError:
                _log.error("a sealed secret of set %d does not open", term.validators.set_id)
                continue
            if secret is not None and decoy_key_hash(secret) == term.decoy_key_hash:
                return secret
        return None


def _never_first(roll: Roll) -> list[Named]:
    return sorted(roll.named, key=lambda one: one.counts)


def is_overtaken(state: StateReader, proposal: Proposal, epoch: EpochNumber) -> bool:
    """Whether something else was decided of its member or set since it was written: it is void then, and stays so."""
    for record in proposal.decoded():
        if isinstance(record, MemberUpdate) and record.replaces != newest_update(state, record.key_id):
            stands = record.replaces == ZERO
        elif isinstance(record, SetUpdate) and record.replaces != _waiting(state, epoch):
            stands = record.replaces == ZERO and newest_set(state).validators.set_id >= record.set_id
        else:
            continue
        if stands or state.get(entry_key(record.replaces)) is not None:
            return True
    return False


def _waiting(state: StateReader, epoch: EpochNumber) -> Digest:
    """LEAF of the record that appointed the set that waits; zero for none."""
    waiting = pending_set(state, epoch)
    return ZERO if waiting is None else waiting.record


def directory_of(folder: Path, name: str) -> Directory:
    """The directory as a member's stores tell it, for whoever looks while its node does not run.

    Without a ledger that can be opened it is the founders'.

    Raises:
        Malformed, Refuted: a file is not what it must be.
    """
    directory, ledger = read_directory(folder), SqlLedger(stores_of(read_settings(folder))[0])
    try:
        ledger.open(directory.log_id, name)
    except (StoreBroken, StoreInUse, StoreAway, LeaseLost):
        return directory
    try:
        Enrolment(directory, ledger, folder, name)
    finally:
        ledger.close()
    return directory


def run_enrolling(enrolment: Enrolment, peers: Callable[[], Sequence[Handing]], progress: Progress) -> None:
    """Ask for what is lacking whenever something is, and keep the peers those of the directory, until stopped."""
    while not progress.stopping:
        tip, asked = progress.tip, peers()
        if enrolment.lacking():
            try:
                enrolment.fetch(asked)
            except NotYet as error:
                _log.warning("not known yet: %s", error)
            progress.wait(lambda: False, PAUSE)
        else:
            progress.wait_above("tip", tip, LONG_PAUSE)
