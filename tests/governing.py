"""Governance transactions that a quorum's own identity keys sign, read from the members' folders."""

from collections.abc import Sequence
from pathlib import Path

from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.transaction import Body, GovernancePayload, SignaturePart, SignedTransaction
from hybrid_bridge.units import EpochNumber, LogId
from hybrid_bridge.units import Sequence as SequenceNumber


def identity_of(folder: Path) -> PrivateKey:
    return PrivateKey.from_seed(bytes.fromhex((folder / "keys" / "identity.key").read_text()))


def governed(
    log_id: LogId, record: bytes, quorum: Sequence[PrivateKey], sequence: int, expires: int = 1_000_000
) -> SignedTransaction:
    """Submitted by the first of the quorum, whose next number is `sequence`."""
    signers, submitter = sorted(quorum, key=lambda key: key.public.key_id), quorum[0]
    body = Body(
        log_id=log_id,
        submitter=submitter.public.key_id,
        sequence=SequenceNumber(sequence),
        expires_epoch=EpochNumber(expires),
        authorisers=tuple(key.public.key_id for key in signers),
        payload=GovernancePayload((record,)),
    )
    consents = [SignaturePart.over(body.consent, key) for key in signers]
    return SignedTransaction.assemble(body, SignaturePart.over(body.message, submitter), consents)
