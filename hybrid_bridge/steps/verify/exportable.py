"""Checks 8 and 9 of `verify`, for what a bundle carries so that it can be exported: receipts, and submitters' JWTs."""

from hybrid_bridge.core.disclosure import ORIGIN
from hybrid_bridge.core.encoding import b64u
from hybrid_bridge.core.exports.cose_receipt import verify_root
from hybrid_bridge.core.exports.sd_jwt import IssuedJwt, verify_jwt
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedEntry, DecodedEpoch


def verify_receipts(d: Decoded) -> None:
    """Each receipt is the receipt key's word over the root of its checkpoint (SPEC §12 step 8).

    Raises:
        FieldMalformed: the log has no receipt key.
        SignatureWrong: it is not.
    """
    for part, note in zip(d.bundle.checkpoints, d.notes, strict=True):
        if part.receipt is not None:
            verify_root(d.genesis, note.origin, note.root, part.receipt)


def verify_jwts(d: Decoded) -> None:
    """Each JWT is its submitter's word over the digests of its record (SPEC §12 step 9).

    Raises:
        Malformed: digests, certificate or signature; the origin is not disclosed.
        FieldMismatch: it is of another log, epoch, entry or key.
        RootMismatch, SignatureWrong: not the digests of that record, or not signed.
    """
    for epoch, entry in d.entries:
        if entry.jwt is not None:
            _require_statement(d, epoch, entry, entry.jwt)
            verify_jwt(entry.jwt)


def _require_statement(d: Decoded, epoch: DecodedEpoch, entry: DecodedEntry, jwt: IssuedJwt) -> None:
    origin = next((disclosure.value for disclosure in entry.disclosures if disclosure.name == ORIGIN), None)
    for field, expected, got in (
        ("log", d.log_id.hex(), jwt.log_id.hex()),
        ("epoch", str(epoch.record.epoch), str(jwt.epoch)),
        ("entry", b64u(entry.part.entry), b64u(jwt.entry.encode())),
        ("key", str(origin), key_id_text(jwt.key.key_id)),
    ):
        if expected != got:
            raise FieldMismatch(field=f"issuer_jwt.{field}", expected=expected, got=got)
