from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NewestRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class NewestResponse(_message.Message):
    __slots__ = ("attested_size", "quorum_size")
    ATTESTED_SIZE_FIELD_NUMBER: _ClassVar[int]
    QUORUM_SIZE_FIELD_NUMBER: _ClassVar[int]
    attested_size: int
    quorum_size: int
    def __init__(self, attested_size: _Optional[int] = ..., quorum_size: _Optional[int] = ...) -> None: ...

class AttestationRequest(_message.Message):
    __slots__ = ("size",)
    SIZE_FIELD_NUMBER: _ClassVar[int]
    size: int
    def __init__(self, size: _Optional[int] = ...) -> None: ...

class AttestationResponse(_message.Message):
    __slots__ = ("root", "signature")
    ROOT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    root: bytes
    signature: bytes
    def __init__(self, root: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class ConsistencyRequest(_message.Message):
    __slots__ = ("old_size", "new_size")
    OLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    NEW_SIZE_FIELD_NUMBER: _ClassVar[int]
    old_size: int
    new_size: int
    def __init__(self, old_size: _Optional[int] = ..., new_size: _Optional[int] = ...) -> None: ...

class ConsistencyResponse(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, path: _Optional[_Iterable[bytes]] = ...) -> None: ...

class CheckpointRequest(_message.Message):
    __slots__ = ("size", "old_size")
    SIZE_FIELD_NUMBER: _ClassVar[int]
    OLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    size: int
    old_size: int
    def __init__(self, size: _Optional[int] = ..., old_size: _Optional[int] = ...) -> None: ...

class CheckpointResponse(_message.Message):
    __slots__ = ("size", "note", "path")
    SIZE_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    size: int
    note: str
    path: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, size: _Optional[int] = ..., note: _Optional[str] = ..., path: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ReceiptRequest(_message.Message):
    __slots__ = ("size",)
    SIZE_FIELD_NUMBER: _ClassVar[int]
    size: int
    def __init__(self, size: _Optional[int] = ...) -> None: ...

class ReceiptResponse(_message.Message):
    __slots__ = ("signature",)
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    signature: bytes
    def __init__(self, signature: _Optional[bytes] = ...) -> None: ...

class DeltaMessage(_message.Message):
    __slots__ = ("record", "delta")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    record: bytes
    delta: bytes
    def __init__(self, record: _Optional[bytes] = ..., delta: _Optional[bytes] = ...) -> None: ...

class SubmitRequest(_message.Message):
    __slots__ = ("signed",)
    SIGNED_FIELD_NUMBER: _ClassVar[int]
    signed: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, signed: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SubmitResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[SubmitResult]
    def __init__(self, results: _Optional[_Iterable[_Union[SubmitResult, _Mapping]]] = ...) -> None: ...

class SubmitResult(_message.Message):
    __slots__ = ("promise", "height", "code", "fault")
    PROMISE_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    promise: bytes
    height: int
    code: int
    fault: Fault
    def __init__(self, promise: _Optional[bytes] = ..., height: _Optional[int] = ..., code: _Optional[int] = ..., fault: _Optional[_Union[Fault, _Mapping]] = ...) -> None: ...

class Fault(_message.Message):
    __slots__ = ("name", "fields")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    fields: bytes
    def __init__(self, name: _Optional[str] = ..., fields: _Optional[bytes] = ...) -> None: ...

class StatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StatusResponse(_message.Message):
    __slots__ = ("name", "log_id", "height", "final_height", "epoch", "size", "attested_size", "quorum_size", "halted", "undelivered", "log_holders")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LOG_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    FINAL_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ATTESTED_SIZE_FIELD_NUMBER: _ClassVar[int]
    QUORUM_SIZE_FIELD_NUMBER: _ClassVar[int]
    HALTED_FIELD_NUMBER: _ClassVar[int]
    UNDELIVERED_FIELD_NUMBER: _ClassVar[int]
    LOG_HOLDERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    log_id: bytes
    height: int
    final_height: int
    epoch: int
    size: int
    attested_size: int
    quorum_size: int
    halted: str
    undelivered: int
    log_holders: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., log_id: _Optional[bytes] = ..., height: _Optional[int] = ..., final_height: _Optional[int] = ..., epoch: _Optional[int] = ..., size: _Optional[int] = ..., attested_size: _Optional[int] = ..., quorum_size: _Optional[int] = ..., halted: _Optional[str] = ..., undelivered: _Optional[int] = ..., log_holders: _Optional[_Iterable[str]] = ...) -> None: ...

class TransactionRequest(_message.Message):
    __slots__ = ("transaction_id",)
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    transaction_id: bytes
    def __init__(self, transaction_id: _Optional[bytes] = ...) -> None: ...

class TransactionResponse(_message.Message):
    __slots__ = ("height", "epoch", "code", "final", "entry", "closed")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    height: int
    epoch: int
    code: int
    final: bool
    entry: bytes
    closed: bool
    def __init__(self, height: _Optional[int] = ..., epoch: _Optional[int] = ..., code: _Optional[int] = ..., final: _Optional[bool] = ..., entry: _Optional[bytes] = ..., closed: _Optional[bool] = ...) -> None: ...

class BlocksRequest(_message.Message):
    __slots__ = ("first_height", "follow")
    FIRST_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    first_height: int
    follow: bool
    def __init__(self, first_height: _Optional[int] = ..., follow: _Optional[bool] = ...) -> None: ...

class BlockMessage(_message.Message):
    __slots__ = ("block", "order")
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    block: bytes
    order: bytes
    def __init__(self, block: _Optional[bytes] = ..., order: _Optional[bytes] = ...) -> None: ...

class EpochsRequest(_message.Message):
    __slots__ = ("first", "last")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    first: int
    last: int
    def __init__(self, first: _Optional[int] = ..., last: _Optional[int] = ...) -> None: ...

class EpochMessage(_message.Message):
    __slots__ = ("record", "entries", "pairs", "governance")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    GOVERNANCE_FIELD_NUMBER: _ClassVar[int]
    record: bytes
    entries: bytes
    pairs: bytes
    governance: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, record: _Optional[bytes] = ..., entries: _Optional[bytes] = ..., pairs: _Optional[bytes] = ..., governance: _Optional[_Iterable[bytes]] = ...) -> None: ...

class RegisteredRequest(_message.Message):
    __slots__ = ("label", "version")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    label: bytes
    version: int
    def __init__(self, label: _Optional[bytes] = ..., version: _Optional[int] = ...) -> None: ...

class RegisteredResponse(_message.Message):
    __slots__ = ("index", "proof", "epoch", "present")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    index: bytes
    proof: bytes
    epoch: int
    present: bool
    def __init__(self, index: _Optional[bytes] = ..., proof: _Optional[bytes] = ..., epoch: _Optional[int] = ..., present: _Optional[bool] = ...) -> None: ...

class ProveRequest(_message.Message):
    __slots__ = ("size", "indices", "promise")
    SIZE_FIELD_NUMBER: _ClassVar[int]
    INDICES_FIELD_NUMBER: _ClassVar[int]
    PROMISE_FIELD_NUMBER: _ClassVar[int]
    size: int
    indices: _containers.RepeatedScalarFieldContainer[bytes]
    promise: bytes
    def __init__(self, size: _Optional[int] = ..., indices: _Optional[_Iterable[bytes]] = ..., promise: _Optional[bytes] = ...) -> None: ...

class ProposalRequest(_message.Message):
    __slots__ = ("leaf",)
    LEAF_FIELD_NUMBER: _ClassVar[int]
    leaf: bytes
    def __init__(self, leaf: _Optional[bytes] = ...) -> None: ...

class ProposalResponse(_message.Message):
    __slots__ = ("proposal",)
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    proposal: bytes
    def __init__(self, proposal: _Optional[bytes] = ...) -> None: ...

class ReadingsRequest(_message.Message):
    __slots__ = ("after",)
    AFTER_FIELD_NUMBER: _ClassVar[int]
    after: int
    def __init__(self, after: _Optional[int] = ...) -> None: ...

class ReadingsResponse(_message.Message):
    __slots__ = ("events", "start", "previous", "time", "signature")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[ReadingEvent]
    start: int
    previous: bytes
    time: int
    signature: bytes
    def __init__(self, events: _Optional[_Iterable[_Union[ReadingEvent, _Mapping]]] = ..., start: _Optional[int] = ..., previous: _Optional[bytes] = ..., time: _Optional[int] = ..., signature: _Optional[bytes] = ...) -> None: ...

class ReadingEvent(_message.Message):
    __slots__ = ("body", "reading")
    BODY_FIELD_NUMBER: _ClassVar[int]
    READING_FIELD_NUMBER: _ClassVar[int]
    body: bytes
    reading: bytes
    def __init__(self, body: _Optional[bytes] = ..., reading: _Optional[bytes] = ...) -> None: ...

class WitnessRequest(_message.Message):
    __slots__ = ("after_height", "after_size", "wait_ms", "after_line", "after_cosigned")
    AFTER_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    AFTER_SIZE_FIELD_NUMBER: _ClassVar[int]
    WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    AFTER_LINE_FIELD_NUMBER: _ClassVar[int]
    AFTER_COSIGNED_FIELD_NUMBER: _ClassVar[int]
    after_height: int
    after_size: int
    wait_ms: int
    after_line: int
    after_cosigned: int
    def __init__(self, after_height: _Optional[int] = ..., after_size: _Optional[int] = ..., wait_ms: _Optional[int] = ..., after_line: _Optional[int] = ..., after_cosigned: _Optional[int] = ...) -> None: ...

class WitnessResponse(_message.Message):
    __slots__ = ("countersignatures", "attestations", "log_lines", "cosignatures")
    COUNTERSIGNATURES_FIELD_NUMBER: _ClassVar[int]
    ATTESTATIONS_FIELD_NUMBER: _ClassVar[int]
    LOG_LINES_FIELD_NUMBER: _ClassVar[int]
    COSIGNATURES_FIELD_NUMBER: _ClassVar[int]
    countersignatures: _containers.RepeatedScalarFieldContainer[bytes]
    attestations: _containers.RepeatedCompositeFieldContainer[SizedSignature]
    log_lines: _containers.RepeatedCompositeFieldContainer[SizedSignature]
    cosignatures: _containers.RepeatedCompositeFieldContainer[SizedSignature]
    def __init__(self, countersignatures: _Optional[_Iterable[bytes]] = ..., attestations: _Optional[_Iterable[_Union[SizedSignature, _Mapping]]] = ..., log_lines: _Optional[_Iterable[_Union[SizedSignature, _Mapping]]] = ..., cosignatures: _Optional[_Iterable[_Union[SizedSignature, _Mapping]]] = ...) -> None: ...

class SizedSignature(_message.Message):
    __slots__ = ("size", "root", "signature", "mldsa")
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    MLDSA_FIELD_NUMBER: _ClassVar[int]
    size: int
    root: bytes
    signature: bytes
    mldsa: bytes
    def __init__(self, size: _Optional[int] = ..., root: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., mldsa: _Optional[bytes] = ...) -> None: ...

class SignaturesRequest(_message.Message):
    __slots__ = ("address", "signer")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    address: bytes
    signer: bytes
    def __init__(self, address: _Optional[bytes] = ..., signer: _Optional[bytes] = ...) -> None: ...

class SignaturesResponse(_message.Message):
    __slots__ = ("newest", "countersignature")
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    COUNTERSIGNATURE_FIELD_NUMBER: _ClassVar[int]
    newest: _containers.RepeatedCompositeFieldContainer[SizedSignature]
    countersignature: bytes
    def __init__(self, newest: _Optional[_Iterable[_Union[SizedSignature, _Mapping]]] = ..., countersignature: _Optional[bytes] = ...) -> None: ...

class DeliverRequest(_message.Message):
    __slots__ = ("entry_leaf", "envelope")
    ENTRY_LEAF_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    entry_leaf: bytes
    envelope: bytes
    def __init__(self, entry_leaf: _Optional[bytes] = ..., envelope: _Optional[bytes] = ...) -> None: ...

class DeliverResponse(_message.Message):
    __slots__ = ("acknowledgement",)
    ACKNOWLEDGEMENT_FIELD_NUMBER: _ClassVar[int]
    acknowledgement: bytes
    def __init__(self, acknowledgement: _Optional[bytes] = ...) -> None: ...

class EndorseRequest(_message.Message):
    __slots__ = ("draft", "confirmed")
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_FIELD_NUMBER: _ClassVar[int]
    draft: bytes
    confirmed: bool
    def __init__(self, draft: _Optional[bytes] = ..., confirmed: _Optional[bool] = ...) -> None: ...

class EndorseResponse(_message.Message):
    __slots__ = ("changes", "signed")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    SIGNED_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedScalarFieldContainer[str]
    signed: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, changes: _Optional[_Iterable[str]] = ..., signed: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ProposeRequest(_message.Message):
    __slots__ = ("kind", "name", "card", "reason", "from_epoch", "approvers")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CARD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    FROM_EPOCH_FIELD_NUMBER: _ClassVar[int]
    APPROVERS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    name: str
    card: bytes
    reason: str
    from_epoch: int
    approvers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, kind: _Optional[str] = ..., name: _Optional[str] = ..., card: _Optional[bytes] = ..., reason: _Optional[str] = ..., from_epoch: _Optional[int] = ..., approvers: _Optional[_Iterable[str]] = ...) -> None: ...

class ProposeResponse(_message.Message):
    __slots__ = ("proposal", "changes")
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    proposal: bytes
    changes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, proposal: _Optional[bytes] = ..., changes: _Optional[_Iterable[str]] = ...) -> None: ...

class ApproveRequest(_message.Message):
    __slots__ = ("proposal", "confirmed")
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_FIELD_NUMBER: _ClassVar[int]
    proposal: bytes
    confirmed: bool
    def __init__(self, proposal: _Optional[bytes] = ..., confirmed: _Optional[bool] = ...) -> None: ...

class ApproveResponse(_message.Message):
    __slots__ = ("changes", "consents")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedScalarFieldContainer[str]
    consents: bytes
    def __init__(self, changes: _Optional[_Iterable[str]] = ..., consents: _Optional[bytes] = ...) -> None: ...

class EnactRequest(_message.Message):
    __slots__ = ("proposal", "consents", "confirmed")
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_FIELD_NUMBER: _ClassVar[int]
    proposal: bytes
    consents: _containers.RepeatedScalarFieldContainer[bytes]
    confirmed: bool
    def __init__(self, proposal: _Optional[bytes] = ..., consents: _Optional[_Iterable[bytes]] = ..., confirmed: _Optional[bool] = ...) -> None: ...

class EnactResponse(_message.Message):
    __slots__ = ("changes", "heights")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    HEIGHTS_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedScalarFieldContainer[str]
    heights: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, changes: _Optional[_Iterable[str]] = ..., heights: _Optional[_Iterable[int]] = ...) -> None: ...

class MembersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MembersResponse(_message.Message):
    __slots__ = ("members", "sets", "lacking")
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    SETS_FIELD_NUMBER: _ClassVar[int]
    LACKING_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[MemberSummary]
    sets: _containers.RepeatedCompositeFieldContainer[SetSummary]
    lacking: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, members: _Optional[_Iterable[_Union[MemberSummary, _Mapping]]] = ..., sets: _Optional[_Iterable[_Union[SetSummary, _Mapping]]] = ..., lacking: _Optional[_Iterable[bytes]] = ...) -> None: ...

class MemberSummary(_message.Message):
    __slots__ = ("name", "legal_name", "legal_id", "key_id", "address", "endpoint", "standing")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LEGAL_NAME_FIELD_NUMBER: _ClassVar[int]
    LEGAL_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    name: str
    legal_name: str
    legal_id: str
    key_id: bytes
    address: bytes
    endpoint: str
    standing: str
    def __init__(self, name: _Optional[str] = ..., legal_name: _Optional[str] = ..., legal_id: _Optional[str] = ..., key_id: _Optional[bytes] = ..., address: _Optional[bytes] = ..., endpoint: _Optional[str] = ..., standing: _Optional[str] = ...) -> None: ...

class SetSummary(_message.Message):
    __slots__ = ("set_id", "set_hash", "first_size", "entries", "names")
    SET_ID_FIELD_NUMBER: _ClassVar[int]
    SET_HASH_FIELD_NUMBER: _ClassVar[int]
    FIRST_SIZE_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    set_id: int
    set_hash: bytes
    first_size: int
    entries: bytes
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, set_id: _Optional[int] = ..., set_hash: _Optional[bytes] = ..., first_size: _Optional[int] = ..., entries: _Optional[bytes] = ..., names: _Optional[_Iterable[str]] = ...) -> None: ...

class KeyRequest(_message.Message):
    __slots__ = ("purpose",)
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    def __init__(self, purpose: _Optional[str] = ...) -> None: ...

class KeyResponse(_message.Message):
    __slots__ = ("key_id", "spki")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SPKI_FIELD_NUMBER: _ClassVar[int]
    key_id: bytes
    spki: bytes
    def __init__(self, key_id: _Optional[bytes] = ..., spki: _Optional[bytes] = ...) -> None: ...

class DraftRequest(_message.Message):
    __slots__ = ("schema", "fields", "authorisers", "labels", "audience", "object_id", "lives_for")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    AUTHORISERS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    OBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    LIVES_FOR_FIELD_NUMBER: _ClassVar[int]
    schema: str
    fields: bytes
    authorisers: _containers.RepeatedCompositeFieldContainer[Authoriser]
    labels: bytes
    audience: _containers.RepeatedScalarFieldContainer[str]
    object_id: str
    lives_for: int
    def __init__(self, schema: _Optional[str] = ..., fields: _Optional[bytes] = ..., authorisers: _Optional[_Iterable[_Union[Authoriser, _Mapping]]] = ..., labels: _Optional[bytes] = ..., audience: _Optional[_Iterable[str]] = ..., object_id: _Optional[str] = ..., lives_for: _Optional[int] = ...) -> None: ...

class Authoriser(_message.Message):
    __slots__ = ("purpose", "key_id")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    key_id: bytes
    def __init__(self, purpose: _Optional[str] = ..., key_id: _Optional[bytes] = ...) -> None: ...

class DraftResponse(_message.Message):
    __slots__ = ("draft",)
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    draft: bytes
    def __init__(self, draft: _Optional[bytes] = ...) -> None: ...

class AuthoriseRequest(_message.Message):
    __slots__ = ("draft", "purposes")
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    PURPOSES_FIELD_NUMBER: _ClassVar[int]
    draft: bytes
    purposes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, draft: _Optional[bytes] = ..., purposes: _Optional[_Iterable[str]] = ...) -> None: ...

class AuthoriseResponse(_message.Message):
    __slots__ = ("signatures",)
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    signatures: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, signatures: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SendRequest(_message.Message):
    __slots__ = ("draft", "signatures")
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    draft: bytes
    signatures: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, draft: _Optional[bytes] = ..., signatures: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SendResponse(_message.Message):
    __slots__ = ("transaction_id", "entry", "promise", "height", "code", "entry_leaf")
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    PROMISE_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    ENTRY_LEAF_FIELD_NUMBER: _ClassVar[int]
    transaction_id: bytes
    entry: bytes
    promise: bytes
    height: int
    code: int
    entry_leaf: bytes
    def __init__(self, transaction_id: _Optional[bytes] = ..., entry: _Optional[bytes] = ..., promise: _Optional[bytes] = ..., height: _Optional[int] = ..., code: _Optional[int] = ..., entry_leaf: _Optional[bytes] = ...) -> None: ...

class RecordsRequest(_message.Message):
    __slots__ = ("after",)
    AFTER_FIELD_NUMBER: _ClassVar[int]
    after: int
    def __init__(self, after: _Optional[int] = ...) -> None: ...

class RecordsResponse(_message.Message):
    __slots__ = ("records",)
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[RecordSummary]
    def __init__(self, records: _Optional[_Iterable[_Union[RecordSummary, _Mapping]]] = ...) -> None: ...

class RecordSummary(_message.Message):
    __slots__ = ("number", "entry_leaf", "schema", "standing", "source", "epoch")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ENTRY_LEAF_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    number: int
    entry_leaf: bytes
    schema: str
    standing: str
    source: str
    epoch: int
    def __init__(self, number: _Optional[int] = ..., entry_leaf: _Optional[bytes] = ..., schema: _Optional[str] = ..., standing: _Optional[str] = ..., source: _Optional[str] = ..., epoch: _Optional[int] = ...) -> None: ...

class RecordRequest(_message.Message):
    __slots__ = ("entry_leaf",)
    ENTRY_LEAF_FIELD_NUMBER: _ClassVar[int]
    entry_leaf: bytes
    def __init__(self, entry_leaf: _Optional[bytes] = ...) -> None: ...

class RecordResponse(_message.Message):
    __slots__ = ("document",)
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    document: bytes
    def __init__(self, document: _Optional[bytes] = ...) -> None: ...

class BundleRequest(_message.Message):
    __slots__ = ("purpose", "entry_leaves", "disclosed", "labels", "size", "label_epoch", "transactions", "promised", "receipts", "cose_receipt", "presentable", "newest", "cosignatures", "governance")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    ENTRY_LEAVES_FIELD_NUMBER: _ClassVar[int]
    DISCLOSED_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    LABEL_EPOCH_FIELD_NUMBER: _ClassVar[int]
    TRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    PROMISED_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    COSE_RECEIPT_FIELD_NUMBER: _ClassVar[int]
    PRESENTABLE_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    COSIGNATURES_FIELD_NUMBER: _ClassVar[int]
    GOVERNANCE_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    entry_leaves: _containers.RepeatedScalarFieldContainer[bytes]
    disclosed: _containers.RepeatedCompositeFieldContainer[Disclosed]
    labels: _containers.RepeatedCompositeFieldContainer[RegisteredRequest]
    size: int
    label_epoch: int
    transactions: bool
    promised: bytes
    receipts: bool
    cose_receipt: bool
    presentable: bool
    newest: bool
    cosignatures: bool
    governance: bool
    def __init__(self, purpose: _Optional[str] = ..., entry_leaves: _Optional[_Iterable[bytes]] = ..., disclosed: _Optional[_Iterable[_Union[Disclosed, _Mapping]]] = ..., labels: _Optional[_Iterable[_Union[RegisteredRequest, _Mapping]]] = ..., size: _Optional[int] = ..., label_epoch: _Optional[int] = ..., transactions: _Optional[bool] = ..., promised: _Optional[bytes] = ..., receipts: _Optional[bool] = ..., cose_receipt: _Optional[bool] = ..., presentable: _Optional[bool] = ..., newest: _Optional[bool] = ..., cosignatures: _Optional[bool] = ..., governance: _Optional[bool] = ...) -> None: ...

class PromisesRequest(_message.Message):
    __slots__ = ("after",)
    AFTER_FIELD_NUMBER: _ClassVar[int]
    after: int
    def __init__(self, after: _Optional[int] = ...) -> None: ...

class PromisesResponse(_message.Message):
    __slots__ = ("promises",)
    PROMISES_FIELD_NUMBER: _ClassVar[int]
    promises: _containers.RepeatedCompositeFieldContainer[PromiseSummary]
    def __init__(self, promises: _Optional[_Iterable[_Union[PromiseSummary, _Mapping]]] = ...) -> None: ...

class PromiseSummary(_message.Message):
    __slots__ = ("number", "promise", "standing", "epoch", "sequence")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PROMISE_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    number: int
    promise: bytes
    standing: str
    epoch: int
    sequence: int
    def __init__(self, number: _Optional[int] = ..., promise: _Optional[bytes] = ..., standing: _Optional[str] = ..., epoch: _Optional[int] = ..., sequence: _Optional[int] = ...) -> None: ...

class Disclosed(_message.Message):
    __slots__ = ("entry_leaf", "names", "transaction")
    ENTRY_LEAF_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    entry_leaf: bytes
    names: _containers.RepeatedScalarFieldContainer[str]
    transaction: bool
    def __init__(self, entry_leaf: _Optional[bytes] = ..., names: _Optional[_Iterable[str]] = ..., transaction: _Optional[bool] = ...) -> None: ...

class BundleResponse(_message.Message):
    __slots__ = ("bundle",)
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    bundle: bytes
    def __init__(self, bundle: _Optional[bytes] = ...) -> None: ...

class SequencesRequest(_message.Message):
    __slots__ = ("submitter",)
    SUBMITTER_FIELD_NUMBER: _ClassVar[int]
    submitter: bytes
    def __init__(self, submitter: _Optional[bytes] = ...) -> None: ...

class SequencesResponse(_message.Message):
    __slots__ = ("submitters",)
    SUBMITTERS_FIELD_NUMBER: _ClassVar[int]
    submitters: _containers.RepeatedCompositeFieldContainer[SequenceSummary]
    def __init__(self, submitters: _Optional[_Iterable[_Union[SequenceSummary, _Mapping]]] = ...) -> None: ...

class SequenceSummary(_message.Message):
    __slots__ = ("submitter", "name", "seen", "next", "height", "dropped")
    SUBMITTER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SEEN_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    submitter: bytes
    name: str
    seen: _containers.RepeatedCompositeFieldContainer[NumberRange]
    next: int
    height: int
    dropped: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, submitter: _Optional[bytes] = ..., name: _Optional[str] = ..., seen: _Optional[_Iterable[_Union[NumberRange, _Mapping]]] = ..., next: _Optional[int] = ..., height: _Optional[int] = ..., dropped: _Optional[_Iterable[int]] = ...) -> None: ...

class NumberRange(_message.Message):
    __slots__ = ("first", "last")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    first: int
    last: int
    def __init__(self, first: _Optional[int] = ..., last: _Optional[int] = ...) -> None: ...

class EraseRequest(_message.Message):
    __slots__ = ("entry_leaves", "objects", "matches", "reason", "confirmed", "noticed")
    ENTRY_LEAVES_FIELD_NUMBER: _ClassVar[int]
    OBJECTS_FIELD_NUMBER: _ClassVar[int]
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_FIELD_NUMBER: _ClassVar[int]
    NOTICED_FIELD_NUMBER: _ClassVar[int]
    entry_leaves: _containers.RepeatedScalarFieldContainer[bytes]
    objects: _containers.RepeatedScalarFieldContainer[str]
    matches: _containers.RepeatedCompositeFieldContainer[FieldMatch]
    reason: str
    confirmed: bool
    noticed: bool
    def __init__(self, entry_leaves: _Optional[_Iterable[bytes]] = ..., objects: _Optional[_Iterable[str]] = ..., matches: _Optional[_Iterable[_Union[FieldMatch, _Mapping]]] = ..., reason: _Optional[str] = ..., confirmed: _Optional[bool] = ..., noticed: _Optional[bool] = ...) -> None: ...

class FieldMatch(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class EraseResponse(_message.Message):
    __slots__ = ("records",)
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[ErasedRecord]
    def __init__(self, records: _Optional[_Iterable[_Union[ErasedRecord, _Mapping]]] = ...) -> None: ...

class ErasedRecord(_message.Message):
    __slots__ = ("entry_leaf", "schema", "source", "disclosures", "decoys", "openings", "owed", "signed", "erased_at", "reason", "acknowledged")
    ENTRY_LEAF_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DISCLOSURES_FIELD_NUMBER: _ClassVar[int]
    DECOYS_FIELD_NUMBER: _ClassVar[int]
    OPENINGS_FIELD_NUMBER: _ClassVar[int]
    OWED_FIELD_NUMBER: _ClassVar[int]
    SIGNED_FIELD_NUMBER: _ClassVar[int]
    ERASED_AT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    entry_leaf: bytes
    schema: str
    source: str
    disclosures: int
    decoys: int
    openings: int
    owed: _containers.RepeatedScalarFieldContainer[str]
    signed: _containers.RepeatedScalarFieldContainer[str]
    erased_at: int
    reason: str
    acknowledged: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, entry_leaf: _Optional[bytes] = ..., schema: _Optional[str] = ..., source: _Optional[str] = ..., disclosures: _Optional[int] = ..., decoys: _Optional[int] = ..., openings: _Optional[int] = ..., owed: _Optional[_Iterable[str]] = ..., signed: _Optional[_Iterable[str]] = ..., erased_at: _Optional[int] = ..., reason: _Optional[str] = ..., acknowledged: _Optional[_Iterable[str]] = ...) -> None: ...

class StopsRequest(_message.Message):
    __slots__ = ("objects",)
    OBJECTS_FIELD_NUMBER: _ClassVar[int]
    objects: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, objects: _Optional[_Iterable[str]] = ...) -> None: ...

class StopsResponse(_message.Message):
    __slots__ = ("epoch", "brakes", "freezes", "policy")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    BRAKES_FIELD_NUMBER: _ClassVar[int]
    FREEZES_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    brakes: _containers.RepeatedCompositeFieldContainer[Braked]
    freezes: _containers.RepeatedCompositeFieldContainer[Frozen]
    policy: bytes
    def __init__(self, epoch: _Optional[int] = ..., brakes: _Optional[_Iterable[_Union[Braked, _Mapping]]] = ..., freezes: _Optional[_Iterable[_Union[Frozen, _Mapping]]] = ..., policy: _Optional[bytes] = ...) -> None: ...

class Braked(_message.Message):
    __slots__ = ("scope", "until_epoch", "by")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_EPOCH_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    scope: str
    until_epoch: int
    by: str
    def __init__(self, scope: _Optional[str] = ..., until_epoch: _Optional[int] = ..., by: _Optional[str] = ...) -> None: ...

class Frozen(_message.Message):
    __slots__ = ("object", "order", "escrow", "until_epoch")
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    ESCROW_FIELD_NUMBER: _ClassVar[int]
    UNTIL_EPOCH_FIELD_NUMBER: _ClassVar[int]
    object: str
    order: str
    escrow: bool
    until_epoch: int
    def __init__(self, object: _Optional[str] = ..., order: _Optional[str] = ..., escrow: _Optional[bool] = ..., until_epoch: _Optional[int] = ...) -> None: ...

class MissingRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MissingResponse(_message.Message):
    __slots__ = ("copies",)
    COPIES_FIELD_NUMBER: _ClassVar[int]
    copies: _containers.RepeatedCompositeFieldContainer[MissingCopy]
    def __init__(self, copies: _Optional[_Iterable[_Union[MissingCopy, _Mapping]]] = ...) -> None: ...

class MissingCopy(_message.Message):
    __slots__ = ("entry_leaf", "submitter", "height", "since")
    ENTRY_LEAF_FIELD_NUMBER: _ClassVar[int]
    SUBMITTER_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    entry_leaf: bytes
    submitter: str
    height: int
    since: int
    def __init__(self, entry_leaf: _Optional[bytes] = ..., submitter: _Optional[str] = ..., height: _Optional[int] = ..., since: _Optional[int] = ...) -> None: ...
