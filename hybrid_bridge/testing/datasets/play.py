"""Carry a data set out: an event becomes a document, a draft, a signed transaction; honest or, where it says so, not.

The only file of the data sets that knows `steps` and `business`. Members' keys may be replaced by others, and a set
told in simulated time may be played now.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Final, TypeAlias

from hybrid_bridge.business.dates import date_of
from hybrid_bridge.core.disclosure import Disclosure
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.entry import RecordEntry
from hybrid_bridge.core.field_tree import rebuild_root
from hybrid_bridge.core.governance import ADD, COURT, MEMBER, NODE, REGULATOR, MemberUpdate
from hybrid_bridge.core.keys import PrivateKey, key_id_text
from hybrid_bridge.core.labels import normalised
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import RecordPayload, SignaturePart, SignedTransaction
from hybrid_bridge.core.tree import Tree, batch_root
from hybrid_bridge.core.validators import name_hash
from hybrid_bridge.steps.submit import Document, Draft, Randomness, Submission, build_record, finish
from hybrid_bridge.units import Digest, EpochNumber, LeafIndex, LogId, Sequence, TreeSize, UnixSeconds

Event: TypeAlias = dict[str, Any]  # one line of events.jsonl
ROLES: Final = {"member": MEMBER, "node": NODE, "regulator": REGULATOR, "court": COURT}


def read_lines(data: bytes) -> list[Event]:
    """The objects of a .jsonl file."""
    return [json.loads(line) for line in data.splitlines()]


def private_keys(files: Mapping[str, bytes]) -> dict[str, PrivateKey]:
    """The TEST keys of a set, by name."""
    rows = json.loads(files["keys.json"])["keys"]
    return {name: PrivateKey.from_seed(bytes.fromhex(row["ed25519_seed"])) for name, row in rows.items()}


def document_of(event: Event, keys: Mapping[str, PrivateKey]) -> Document:
    """The event's record, `@name` resolved to key ids and outside numbers to labels."""
    fields = {
        name: key_id_text(keys[value[1:]].public.key_id) if isinstance(value, str) and value.startswith("@") else value
        for name, value in event["fields"].items()
    }
    labels = tuple(normalised(row["type"], *row["parts"]) for row in event.get("labels", ()))
    return Document(schema=event["schema"], fields=fields, labels=labels, object_id=event.get("object", ""))


def rebase(event: Event, now: UnixSeconds, epoch: EpochNumber, zone: int) -> Event:
    """The same event as if it happened at `now`: claims that hold a time, a date or an epoch move along.

    What was late by ten days stays so. Private fields are facts of the documents and stay.
    """
    fields = dict(event["fields"])
    fields["event_time"] += now - event["at"]
    if event["schema"] == "note.issue/1":
        shift = date_of(UnixSeconds(fields["event_time"]), zone) - date.fromisoformat(fields["issue_date"])
        for name in ("issue_date", "due_date"):
            fields[name] = (date.fromisoformat(fields[name]) + timedelta(days=shift.days)).isoformat()
    if "check_epoch" in fields:
        fields["check_epoch"] = int(epoch)
    return {**event, "at": int(now), "fields": fields}


def member_updates(
    files: Mapping[str, bytes], log_id: LogId, keys: Mapping[str, PrivateKey], certificates: Mapping[str, Digest]
) -> Iterator[tuple[str, MemberUpdate]]:
    """The governance records that admit the set's members, by short name. A member without certificate gets zero."""
    for row in json.loads(files["members.json"]):
        yield (
            row["key"],
            MemberUpdate(
                log_id=log_id,
                action=ADD,
                name_hash=name_hash(row["id"], row["name"]),
                certificate_hash=certificates.get(row["key"], ZERO),
                key_id=keys[row["key"]].public.key_id,
                roles=sum(ROLES[role] for role in row["roles"]),
                from_epoch=EpochNumber(1),
            ),
        )


@dataclass(frozen=True, slots=True)
class HiddenField:
    """A second version of a claim that a cheat put among the private leaves, with its place."""

    disclosure: Disclosure
    index: LeafIndex
    path: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """One event as a signed transaction, with what opens it."""

    draft: Draft
    signed: SignedTransaction
    hidden: HiddenField | None = None


@dataclass
class Player:
    """Signs events one after another; counts each submitter's sequence."""

    keys: Mapping[str, PrivateKey]
    log_id: LogId
    vrf_seed: bytes
    randomness: Randomness
    sequences: dict[str, int] = field(default_factory=dict)

    def play(self, event: Event, expires_epoch: EpochNumber) -> Played:
        """The event's transaction, with all signatures that the event names."""
        submitter = event["submitter"]
        sequence = self.sequences.get(submitter, 0)
        self.sequences[submitter] = sequence + 1
        submission = Submission(
            log_id=self.log_id,
            submitter=self.keys[submitter].public.key_id,
            sequence=Sequence(sequence),
            expires_epoch=expires_epoch,
            authorisers=tuple(self.keys[name].public.key_id for name in event["authorisers"]),
        )
        draft = build_record(document_of(event, self.keys), submission, self.vrf_seed, self.randomness)
        hidden = None
        if "hidden" in event:
            draft, hidden = self._hide(draft, event["hidden"])
        own = SignaturePart.over(draft.body.message, self.keys[submitter])
        consents = [SignaturePart.over(draft.body.consent, self.keys[name]) for name in event["authorisers"]]
        return Played(draft, finish(draft.body, own, consents), hidden)

    def _hide(self, draft: Draft, fields: Mapping[str, str]) -> tuple[Draft, HiddenField]:
        """Put a second version of a claim where a decoy was; no honest tool does this, and validators cannot see it."""
        ((name, value),) = fields.items()
        disclosure = Disclosure(self.randomness(32), name, value)
        half = draft.tree.width // 2
        private = {d.digest for d in draft.tree.private}
        decoys = [leaf for leaf in draft.tree.leaves[half:] if leaf not in private]
        right = sorted([*private, *decoys[1:], disclosure.digest])
        leaves = [leaf_hash(leaf) for leaf in (*draft.tree.leaves[:half], *right)]
        payload = draft.body.payload
        if not isinstance(payload, RecordPayload):
            raise TypeError(payload)
        private_root = batch_root(leaves[half:])
        root = rebuild_root(payload.claims, private_root, len(leaves))
        entry = RecordEntry(payload.record.record_type, len(leaves), root).encode()
        whole = Tree()
        whole.extend(leaves)
        index = LeafIndex(half + right.index(disclosure.digest))
        path = tuple(whole.inclusion_path(index, TreeSize(len(leaves))))
        body = replace(draft.body, payload=RecordPayload(entry, private_root, payload.claims, payload.ops))
        return replace(draft, body=body, entry=entry), HiddenField(disclosure, index, path)
