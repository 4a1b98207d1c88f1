"""The verdicts of SPEC §12, one function each: what was found, what it rests on, what would be needed to say more."""

from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_bridge.business.outside import Outcome
from hybrid_bridge.core.attestation import quorum
from hybrid_bridge.core.bundle import WitnessAnchor
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.evidence import CLAIMED, NOT_SHOWN, PROVEN, UNDECIDED, VERIFIED, Verdict, span, utc
from hybrid_bridge.core.label_table import label_table_hash
from hybrid_bridge.core.tlog_policy import parse_policy
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.steps.verify.brakes import Brakes
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedGovernance
from hybrid_bridge.steps.verify.names import Name, Names, members_among
from hybrid_bridge.steps.verify.promise import Promised
from hybrid_bridge.steps.verify.public import Standing
from hybrid_bridge.steps.verify.registry import NOT_REGISTERED, Registered
from hybrid_bridge.steps.verify.signers import SignedNote
from hybrid_bridge.steps.verify.source import A3, Source
from hybrid_bridge.steps.verify.times import Stamp
from hybrid_bridge.units import EpochNumber, UnixSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the checks found."""

    decoded: Decoded
    trust: Trust
    now: UnixSeconds
    signed: tuple[SignedNote, ...]
    names: Names
    registered: Registered
    standing: Standing
    promised: Promised | None
    renewed: tuple[Stamp, ...]
    rules: Outcome
    brakes: Brakes
    source: Source

    @property
    def log_missing(self) -> str:
        """What to bring if the verifier has not chosen to rely on this log; "" if he has."""
        if any(log.log_id == self.decoded.log_id for log in self.trust.logs):
            return ""
        return f"trust in log {self.decoded.log_id.hex()} (trust file or --log)"

    @property
    def signers(self) -> tuple[Name, ...]:
        """Who signed the first checkpoint, on which everything else stands."""
        first = self.signed[0]
        return tuple(self.names[first.validators.set_id, address] for address in first.signers)


def verdicts_of(f: Findings) -> tuple[Verdict, ...]:
    """All of them, in the order of SPEC §12."""
    return (
        _integrity(f),
        _quorum(f),
        _names(f),
        _level(f),
        _public_anchor(f),
        _witnesses(f),
        _not_after(f),
        _not_before(f),
        _freshness(f),
        _registry(f),
        _omission(f),
        _governance(f),
    )


# ── the log and who keeps it ─────────────────────────────────────────────────────────────────────────────────────────


def _integrity(f: Findings) -> Verdict:
    d = f.decoded
    fields = sum(len(entry.disclosures) for _, entry in d.entries)
    detail = (
        f"{_count(fields, 'field')} → {_count(len(d.entries), 'entry', 'entries')} → {_count(len(d.epochs), 'epoch')} "
        f"→ checkpoint of size {d.notes[0].size}"
    )
    return Verdict(
        name="integrity",
        result=UNDECIDED if f.log_missing else VERIFIED,
        detail=detail,
        rests_on="SHA-256, and the log id that you chose to rely on",
        missing=f.log_missing,
    )


def _quorum(f: Findings) -> Verdict:
    note = f.signed[0]
    n = len(note.validators.entries)
    detail = f"{len(note.signers)} of {n} validators of set {note.validators.set_id} signed; {quorum(n)} are needed"
    hidden = "" if f.standing.trusted or f.standing.by_state else ", and that no later set is kept from you"
    return Verdict(
        name="quorum",
        result=UNDECIDED if f.log_missing else VERIFIED,
        detail=detail,
        rests_on=f"secp256k1 signatures of the set that the log id fixes{hidden}",
        missing=f.log_missing,
    )


def _names(f: Findings) -> Verdict:
    certified = [name for name in f.signers if name.is_certified]
    if len(certified) == len(f.signers):
        detail = f"all {len(certified)} signers are named by certificates" + _fewer(certified)
        return Verdict(name="names", result=VERIFIED, detail=detail, rests_on="certificates issued by roots you trust")
    reasons = ", ".join(dict.fromkeys(name.basis for name in f.signers if not name.is_certified))
    return Verdict(
        name="names",
        result=UNDECIDED,
        detail=f"{len(certified)} of {len(f.signers)} signers are named by certificates; the others: {reasons}",
        rests_on="the validators' own word",
        missing="certificates in the bundle, and their issuer under member_roots in the trust file",
    )


def _fewer(names: Sequence[Name]) -> str:
    """One entity may hold many keys: said wherever names are counted."""
    members = members_among(names)
    return "" if members == len(names) else f", of {_count(members, 'member')}"


def _level(f: Findings) -> Verdict:
    """Never rounded up: without names a quorum may be one server, and one entity with many keys is one name.

    Consensus raises it only above names: keys that sign blocks are named by nobody but the ledger id.
    """
    members, quorum_size = members_among(f.signers), f.signed[0].validators.quorum
    if members >= quorum_size and not f.log_missing and f.source.level:
        bound = ", with their results and the state after them" if f.source.level == A3 else f", {f.source.wanting}"
        detail = f"more than two thirds of the private chain's validators signed the blocks of all transactions{bound}"
        rests = "names and quorum, and signatures of the validators that the ledger id fixes"
        return Verdict(name="level", result=f.source.level, detail=detail, rests_on=rests)
    if members >= quorum_size and not f.log_missing:
        detail = f"{members} named members countersigned the same root; the private chain's consensus is not shown"
        return Verdict(name="level", result="A1", detail=detail, rests_on="names and quorum")
    missing = f.log_missing or f"certified names of {quorum_size} different members; {members} are shown"
    detail = "a quorum signed, but not of members whom you know by name"
    return Verdict(name="level", result="A0", detail=detail, rests_on="quorum", missing=missing)


# ── public chains and time ───────────────────────────────────────────────────────────────────────────────────────────


def _public_anchor(f: Findings) -> Verdict:
    name, standing = "public anchor", f.standing
    rests = "the public chain, its append-only contract, and your source of the block hash"
    for anchor in standing.trusted:
        detail = (
            f"size {anchor.tree_size} in public block {anchor.block_number} of chain {anchor.chain_id}, contract "
            f"0x{anchor.contract.hex()}; its hash by {anchor.basis}"
        )
        return Verdict(name=name, result=VERIFIED, detail=detail, rests_on=rests)
    if standing.by_state:
        detail = f"{standing.by_state}: the same size and root"
        return Verdict(name=name, result=VERIFIED, detail=detail, rests_on=rests)
    for anchor in standing.anchors:
        detail = f"receipt and headers agree with size {anchor.tree_size}; whether the public block is real is unknown"
        return Verdict(name=name, result=UNDECIDED, detail=detail, rests_on=rests, missing=anchor.missing)
    missing = "an anchor (hybrid-bridge bundle upgrade), or --rpc and --contract"
    return Verdict(name=name, result=NOT_SHOWN, detail="no anchor in the bundle", rests_on=rests, missing=missing)


def _witnesses(f: Findings) -> Verdict:
    """By the verifier's own policy alone, all of it met on one checkpoint shown: later ones extend earlier ones."""
    name, rests = "witnesses", "cosignatures of the witnesses that your tlog_policy names"
    if f.trust.tlog_policy is None:
        count = sum(isinstance(a, WitnessAnchor) for a in f.decoded.bundle.anchors)
        missing = (
            "cosignatures, and a tlog_policy in the trust file" if not count else "a tlog_policy in the trust file"
        )
        detail = f"{_count(count, 'cosignature')} kept, not judged" if count else "none"
        result = UNDECIDED if count else NOT_SHOWN
        return Verdict(name=name, result=result, detail=detail, rests_on=rests, missing=missing)
    policy, note = parse_policy(f.trust.tlog_policy), f.signed[0].note
    ours = {(note.origin, f.decoded.genesis.log_key), (note.origin, f.decoded.bundle.genesis.mldsa_key)}
    if policy.logs and not any((log.name, log.key) in ours for log in policy.logs):
        missing = "a tlog_policy with this log, or with none"
        return Verdict(name=name, result=UNDECIDED, detail="policy of other logs", rests_on=rests, missing=missing)
    for signed in f.signed:
        if policy.is_met([witness for witness, _ in signed.cosigned]):
            found = ", ".join(_cosigned(*witnessed) for witnessed in signed.cosigned) or "none needed"
            detail = f"policy met by size {signed.note.size}: {found}"
            return Verdict(name=name, result=VERIFIED, detail=detail, rests_on=rests)
    most = max(len(signed.cosigned) for signed in f.signed)
    detail = (
        f"policy not met: {_count(most, 'cosignature')} of its {_count(len(policy.witnesses), 'witness', 'witnesses')}"
    )
    missing = f"cosignatures that meet {policy.quorum} of the tlog_policy (hybrid-bridge witness ask)"
    return Verdict(name=name, result=UNDECIDED, detail=detail, rests_on=rests, missing=missing)


def _cosigned(witness: str, moment: int) -> str:
    """Time 0 is no time: consistent with all it has seen, perhaps not the newest (C2SP tlog-cosignature)."""
    return f"{witness} at {utc(moment)}" if moment else f"{witness}, without a time"


def _not_after(f: Findings) -> Verdict:
    name, tokens = "not after", [stamp.fact for stamp in (*f.standing.stamps, *f.renewed)]
    times = [(a.block_time, "the time of the public block", "the public chain's clock") for a in f.standing.trusted]
    times += [
        (token.time, f"a timestamp of {token.authority}", "that authority's clock and key; revocation is not checked")
        for token in tokens
        if token.basis
    ]
    if not times:
        missing = tokens[0].missing if tokens else "a verified public anchor or timestamp in the bundle"
        rests, result = "a public chain's clock, or a timestamping authority's", UNDECIDED if tokens else NOT_SHOWN
        return Verdict(name=name, result=result, detail="no time", rests_on=rests, missing=missing)
    earliest, what, rests = min(times, key=lambda found: found[0])
    detail = f"all of it existed by {utc(earliest)}, {what}"
    for epoch in f.decoded.epochs[:1]:
        detail += f", {earliest - epoch.record.closed_at} s after epoch {epoch.record.epoch} closed"
    return Verdict(name=name, result=VERIFIED, detail=detail, rests_on=rests)


def _not_before(f: Findings) -> Verdict:
    name, rests = "not before", "the public chain's clock"
    times = f.standing.not_before
    if times:
        detail = "; ".join(f"epoch {e} was finished after {utc(moment)}" for e, moment in sorted(times.items()))
        return Verdict(name=name, result=VERIFIED, detail=detail, rests_on=rests)
    missing = "an epoch's beacon, its public block in the bundle, and that block's hash from your own source"
    return Verdict(name=name, result=NOT_SHOWN, detail="no time", rests_on=rests, missing=missing)


def _freshness(f: Findings) -> Verdict:
    """Old is not wrong: without a newer head nobody can say whether the log still lives."""
    genesis = f.decoded.genesis
    size, source = f.decoded.notes[-1].size, "the newest checkpoint in the bundle"
    head = f.standing.newest_head
    if head is not None and head.tree_size > size:
        size, source = head.tree_size, "the contract's head"
    age = f.now - genesis.checkpoint_timestamp(size)
    overdue = f.now - genesis.due_after(size)
    detail = f"{source} is of {utc(f.now - age)}, {span(age)} old" + (
        f"; the next is overdue by {span(overdue)}" * (overdue > 0)
    )
    limit = f.trust.max_age
    if age < 0:
        missing = "a clock that has reached the checkpoint's time"
    elif limit is not None and age > limit:
        missing = f"a head not older than {span(limit)}"
    elif limit is None and overdue > 0:
        missing = "a newer head (--rpc), or a max_age in the trust file"
    else:
        return Verdict(name="freshness", result=f"{age} s", detail=detail, rests_on="your clock")
    return Verdict(name="freshness", result=UNDECIDED, detail=detail, rests_on="your clock", missing=missing)


# ── the registry, and what happened since ────────────────────────────────────────────────────────────────────────────


def _registry(f: Findings) -> Verdict:
    name, rests = "registry", "the quorum's registry root and the log's VRF key"
    facts = f.registered.labels
    if not facts:
        return Verdict(name=name, result=NOT_SHOWN, detail="no label", rests_on=rests, missing="labels in the bundle")
    detail = f"{_count(len(facts), 'statement')} about labels, listed apart"
    missing = _registry_missing(f)
    return Verdict(name=name, result=UNDECIDED if missing else VERIFIED, detail=detail, rests_on=rests, missing=missing)


def _registry_missing(f: Findings) -> str:
    genesis, limit = f.decoded.genesis, f.trust.max_age
    if f.log_missing:
        return f.log_missing
    if limit is not None and any(fact.may_change and f.now - fact.at > limit for fact in f.registered.labels):
        return f"the labels at an epoch not older than {limit} s: what is shown may have changed since"
    if any(fact.is_open for fact in f.registered.labels):
        return "every version of the label, the one after the last, and the opening of the last"
    if genesis.label_table_hash != label_table_hash():
        return "a verifier with this log's own table of labels: it spells them otherwise"
    if genesis.predecessor != ZERO and any(fact.statement == NOT_REGISTERED for fact in f.registered.labels):
        return f"the label at the end of the log before, {genesis.predecessor.hex()}"
    return ""


def _omission(f: Findings) -> Verdict:
    """A claim that was refuted never comes here: the check has raised (SPEC §12)."""
    name, rests = "omission", "the node's identity key, and a quorum that sorted each batch"
    owed = f.promised
    if owed is None:
        missing = "a promise, and every epoch of its window"
        return Verdict(name=name, result=NOT_SHOWN, detail="no promise", rests_on=rests, missing=missing)
    promise = owed.promise
    window = f"epochs {promise.accepted_epoch} to {promise.by_epoch}"
    who = "somebody whose certificate is not shown" if owed.signer is None else owed.signer.text
    late = f"; it came late, in epoch {owed.late[0]}" if owed.late else ""
    if owed.is_broken and not f.log_missing:
        detail = f"{who} promised entry {promise.entry_leaf.hex()} and left it and its refusal out of {window}{late}"
        return Verdict(name=name, result=PROVEN, detail=detail, rests_on=rests)
    detail = f"{who} promised entry {promise.entry_leaf.hex()} in {window}{late}"
    return Verdict(name=name, result=CLAIMED, detail=detail, rests_on=rests, missing=owed.missing or f.log_missing)


def _governance(f: Findings) -> Verdict:
    """What the validators changed after everything shown here was recorded, up to the newest checkpoint (SPEC §7.3)."""
    name, rests = "governance since", "the governance tree in the epoch records"
    detail, missing = _since(f.decoded)
    if missing or f.log_missing:
        result = NOT_SHOWN if missing and f.decoded.governance is None else UNDECIDED
        return Verdict(name=name, result=result, detail=detail, rests_on=rests, missing=missing or f.log_missing)
    return Verdict(name=name, result=VERIFIED, detail=detail, rests_on=rests)


def _since(d: Decoded) -> tuple[str, str]:
    """What is shown of governance, and what would be needed to say that it is all of it."""
    by_epoch = {epoch.record.epoch: epoch.record for epoch in d.epochs}
    stated = [e.record.epoch for e in d.epochs if e.entries or e.labels or e.part.absences]
    shown, newer = d.governance, EpochNumber(d.notes[-1].size - 1)
    older = min(stated or ([*by_epoch][:1] if shown is None else [shown.older.epoch]), default=newer)
    detail = "no statement" if shown is None else _governance_shown(shown)
    if newer not in by_epoch:
        return detail, f"the record of epoch {newer}, the newest of the checkpoints shown"
    least, most = by_epoch[older].governance_size, by_epoch[newer].governance_size
    if least == most:
        return f"none from epoch {older} to {newer}, shown by equal sizes", ""
    if shown is not None and shown.older.governance_size <= least and most <= shown.newer.governance_size:
        return detail, ""
    return detail, f"the governance records from epoch {older} to {newer}"


def _governance_shown(shown: DecodedGovernance) -> str:
    return f"{_count(len(shown.records), 'record')} from epoch {shown.older.epoch} to {shown.newer.epoch}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
