"""Step 1 of 6. A document's fields in, a transaction with only commitments out, and what must be kept for it. First.

Who: the member that submits; for a firm that is no member, a neutral one. Before `commit`.
Guarantees: each field stands in the half its schema gives it, salted apart; the entry, the identity labels' indices and
their commitments follow from `Draft` and nothing else (SPEC §3, §4, §9.3). The same arguments and the same random
bytes give the same draft.
Does not: draw randomness, hold a signing key, seal or send anything, ask whether a rule will refuse it.
KEEP the draft before anything is sent: who loses its salts and openings can never open the record again.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from hybrid_bridge.business.schema import schema_of_name
from hybrid_bridge.core import vrf
from hybrid_bridge.core.delivery import DeliveredField, DeliveredOpening, DeliveryPlaintext
from hybrid_bridge.core.disclosure import ORIGIN, SALT_BYTES, SCHEMA, Disclosure, FieldValue
from hybrid_bridge.core.entry import RecordEntry, entry_leaf
from hybrid_bridge.core.field_tree import FieldTree, build_fields, least_width
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.core.labels import Label, alpha, commitment, identity_value
from hybrid_bridge.core.transaction import (
    BeaconPayload,
    Body,
    GovernancePayload,
    RecordPayload,
    RegistryOp,
    SignaturePart,
    SignedTransaction,
)
from hybrid_bridge.errors import FieldMalformed, Missing
from hybrid_bridge.units import Commitment, Digest, EpochNumber, KeyId, LogId, RegistryIndex
from hybrid_bridge.units import Sequence as SequenceNumber

Randomness: TypeAlias = Callable[[int], bytes]

OPENING_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What stands around a payload: for which log, from whom, until when, with whose consent."""

    log_id: LogId
    submitter: KeyId
    sequence: SequenceNumber
    expires_epoch: EpochNumber
    authorisers: tuple[KeyId, ...] = ()  # in any order

    def body(self, payload: RecordPayload | GovernancePayload | BeaconPayload) -> Body:
        """The unsigned transaction."""
        return Body(
            log_id=self.log_id,
            submitter=self.submitter,
            sequence=self.sequence,
            expires_epoch=self.expires_epoch,
            authorisers=tuple(sorted(self.authorisers)),
            payload=payload,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The fields of one record, claims and private ones together; its schema tells them apart.

    `labels` are the outside numbers of the object that the record confirms; `width` fixes the field tree's size, so
    that records of one schema all look alike.
    """

    schema: str
    fields: Mapping[str, FieldValue] = field(repr=False)
    labels: tuple[Label, ...] = field(default=(), repr=False)
    object_id: str = ""
    width: int | None = None


@dataclass(frozen=True, slots=True)
class LabelOpening:
    """An identity label with all that shows it: index, VRF proof, commitment, opening, value. Secret until shown."""

    label: Label = field(repr=False)
    index: RegistryIndex
    commitment: Commitment
    proof: bytes = field(repr=False)
    opening: bytes = field(repr=False)
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """An unsigned transaction and everything that opens it."""

    schema: str
    body: Body
    entry: bytes
    tree: FieldTree  # all disclosures with their salts, decoy seeds, paths
    openings: tuple[LabelOpening, ...] = ()

    @property
    def entry_leaf(self) -> Digest:
        """LEAF(entry): what batches and promises name."""
        return entry_leaf(self.entry)

    def delivered(self, names: Iterable[str] | None = None) -> DeliveryPlaintext:
        """What one recipient gets: all of it (its full audience), or claims and the private fields named.

        Raises:
            Missing: a named field is not in the record.
        """
        wanted = None if names is None else {*names}
        chosen = [d for d in self.tree.private if wanted is None or d.name in wanted]
        if wanted is not None and len(chosen) != len(wanted):
            raise Missing(what="a private field of that name")
        shown = [self._place(disclosure) for disclosure in (*self.tree.claims, *chosen)]
        whole = wanted is None
        return DeliveryPlaintext(
            entry=self.entry,
            disclosures=tuple(sorted(shown, key=lambda part: part.index)),
            decoys=self.tree.decoy_seeds if whole else (),
            openings=tuple(map(_delivered_opening, self.openings)) if whole else (),
        )

    def _place(self, disclosure: Disclosure) -> DeliveredField:
        index = self.tree.index_of(disclosure.digest)
        return DeliveredField(disclosure.text(), index, tuple(self.tree.path(index)))


def _delivered_opening(opening: LabelOpening) -> DeliveredOpening:
    return DeliveredOpening(opening.label.encode(), opening.value.decode("utf-8"), opening.opening)


# ── a record ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def build_record(document: Document, submission: Submission, vrf_seed: bytes, randomness: Randomness) -> Draft:
    """The draft of one record.

    Args:
        document: typed fields; `_schema` and `_origin` are added here.
        submission: the submitter becomes `_origin`.
        vrf_seed: 32 bytes, the consortium's VRF secret key; read only if there are labels.
        randomness: fresh, independent bytes: a salt for each field, a seed for each decoy, an opening for each label.

    Raises:
        FieldMalformed: a field the schema does not have, of another type, a claim missing, labels it does not take.
        TooLong: more fields than a record can hold, or a value beyond 8,192 characters.
    """
    schema = schema_of_name(document.schema)
    halves = {name: schema.find(name)[0] for name in document.fields}
    claims = {name: value for name, value in document.fields.items() if halves[name] == "claim"}
    private = {name: value for name, value in document.fields.items() if halves[name] == "private"}
    schema.parse_claims(claims)
    schema.require_private(private)
    for label in document.labels:
        if label.type not in schema.label_types:
            raise FieldMalformed(field="labels", rule=f"label types of {schema.name}")
    claims |= {SCHEMA: schema.name, ORIGIN: key_id_text(submission.submitter)}
    tree = _grow_tree(claims, private, randomness, document.width)
    entry = RecordEntry(schema.record_type, tree.width, tree.field_root).encode()
    openings = tuple(
        open_label(
            label, submission.log_id, identity_value(entry_leaf(entry), document.object_id), vrf_seed, randomness
        )
        for label in document.labels
    )
    return Draft(schema.name, submission.body(_payload(entry, tree, openings)), entry, tree, openings)


def _grow_tree(
    claims: Mapping[str, FieldValue], private: Mapping[str, FieldValue], randomness: Randomness, width: int | None
) -> FieldTree:
    """Salt every field and fill the right half with decoys (SPEC §3)."""
    width = least_width(len(claims), len(private)) if width is None else width
    salted_claims = [Disclosure(randomness(SALT_BYTES), name, value) for name, value in sorted(claims.items())]
    salted_private = [Disclosure(randomness(SALT_BYTES), name, value) for name, value in sorted(private.items())]
    decoys = [randomness(32) for _ in range(width // 2 - len(private))]
    return build_fields(salted_claims, salted_private, decoys, width)


def open_label(label: Label, log_id: LogId, value: bytes, vrf_seed: bytes, randomness: Randomness) -> LabelOpening:
    """The registry index of an identity label and a hiding commitment to what it is the label of (SPEC §9.3)."""
    proof = vrf.prove(vrf_seed, alpha(log_id, label, 0))
    opening = randomness(OPENING_BYTES)
    index = vrf.index_of(vrf.proof_output(proof))
    return LabelOpening(label, index, commitment(opening, log_id, label, 0, value), proof, opening, value)


def _payload(entry: bytes, tree: FieldTree, openings: Iterable[LabelOpening]) -> RecordPayload:
    ops = [
        RegistryOp(label_type=opening.label.type, index=opening.index, commitment=opening.commitment)
        for opening in openings
    ]
    claims = tuple(claim.text() for claim in tree.claims)
    return RecordPayload(entry, tree.private_root, claims, tuple(sorted(ops, key=lambda op: op.order)))


# ── signatures ───────────────────────────────────────────────────────────────────────────────────────────────────────


def finish(body: Body, own: SignaturePart, consents: Iterable[SignaturePart] = ()) -> SignedTransaction:
    """Put the signatures to the body: the submitter's over `body.message`, each authoriser's over `body.consent`.

    Consents can be gathered before the sequence number is known: they do not cover it.

    Raises:
        Missing: an authoriser's consent is not there.
        Malformed, Refuted: a signature is not what it should be; nobody else would take the transaction.
    """
    signed = SignedTransaction.assemble(body, own, consents)
    signed.verify_stateless(body.log_id)
    return signed
