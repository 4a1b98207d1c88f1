"""What whoever made the report relied on, in full: its readers are others, and have to compare it."""

from collections.abc import Iterator, Sequence
from typing import Final

from hybrid_bridge.cli.report.case import Case
from hybrid_bridge.cli.report.model import Block, Head, Items, Section, Table, Text, shown
from hybrid_bridge.cli.report.strangers import named, quoted
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.core.certificate import read_certificate
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.evidence import VERIFIED, Evidence
from hybrid_bridge.core.trust import Trust, TrustedChain
from hybrid_bridge.errors import Malformed

MAX_BLOCKS: Final = 50  # of a chain, in a report; the trust file has them all
CERTIFIED: Final = "certified"  # how the standing of a name begins for which a root answers


def reliance(case: Case, t: Words) -> Section:
    """The maker's own choices, and the assumptions behind the verdicts that hold."""
    trust_file = t("trust.none") if case.trust_data is None else sha256(case.trust_data).hex()
    rows = [(t("trust.file"), trust_file), *_chosen(case.trust, t)]
    if case.contract:
        rows.append((t("trust.contract"), case.contract))
    rows.append((t("trust.endpoints"), str(case.endpoints)))
    blocks: tuple[Block, ...] = (
        Text(t("trust.intro")),
        Table(head=(t("item"), t("value")), rows=tuple(rows), weights=(34, 66)),
        Head(t(_assuming(case.evidence))),
        Items(tuple(t(f"assume.{name}") for name in _assumed(case))),
    )
    return Section("trust", t("head.trust.stopped" if case.evidence is None else "head.trust"), blocks)


def _assuming(evidence: Evidence | None) -> str:
    """The headline over the assumptions: of a file that did not hold there are no verdicts that hold."""
    if evidence is None:
        return "trust.assumptions.stopped"
    held = any(_is_verified(evidence, verdict.name) for verdict in evidence.verdicts)
    return "trust.assumptions" if held else "trust.assumptions.open"


def _chosen(trust: Trust, t: Words) -> Iterator[tuple[str, str]]:
    nothing = t("trust.nothing")
    yield t("trust.logs"), ", ".join(log.log_id.hex() for log in trust.logs) or nothing
    for chain in trust.public_chains:
        yield from _chain(chain, t)
    for key, roots in (("trust.member_roots", trust.member_roots), ("trust.tsa_roots", trust.tsa_roots)):
        yield from ((t(key), root) for root in authorities(roots) or (nothing,))
    yield t("trust.policy"), nothing if trust.tlog_policy is None else _policy(trust.tlog_policy)
    yield t("trust.level"), trust.minimum_level or nothing
    yield t("trust.age"), nothing if trust.max_age is None else str(trust.max_age)
    yield t("trust.require"), required(trust, t)


def _chain(chain: TrustedChain, t: Words) -> Iterator[tuple[str, str]]:
    contracts = ", ".join(f"0x{contract.hex()}" for contract in chain.contracts) or t("trust.nothing")
    name = t("trust.chain", chain=chain.chain_id)
    yield name, t("trust.contracts", contracts=contracts, blocks=len(chain.block_hashes), threshold=chain.threshold)
    for block in chain.block_hashes[:MAX_BLOCKS]:
        yield t("trust.block", chain=chain.chain_id, number=block.number), f"0x{block.hash.hex()}"
    if len(chain.block_hashes) > MAX_BLOCKS:
        yield name, t("trust.more_blocks", count=len(chain.block_hashes) - MAX_BLOCKS)


def _policy(policy: str) -> str:
    return f"{sha256(policy.encode()).hex()}: {shown(policy)}"


def required(trust: Trust, t: Words) -> str:
    """The verdicts that were asked for, and those that are asked for because something was given."""
    given = {"witnesses": trust.tlog_policy is not None, "freshness": trust.max_age is not None}
    names = dict.fromkeys(("integrity", *trust.require, *(name for name, is_given in given.items() if is_given)))
    told = [t(f"verdict.{name}") for name in names]
    level = [] if trust.minimum_level is None else [t("required.level", level=trust.minimum_level)]
    return t("comma").join([*told, *level])


def authorities(roots: Sequence[bytes]) -> tuple[str, ...]:
    """Each by subject and SHA-256."""
    return tuple(f"{_subject(root)} [SHA-256 {sha256(root).hex()}]" for root in roots)


def _subject(der: bytes) -> str:
    try:
        return quoted(read_certificate(der).subject.rfc4514_string())
    except Malformed:
        return "?"


# ── what follows from it ─────────────────────────────────────────────────────────────────────────────────────────────


def holds_if(case: Case, evidence: Evidence, t: Words) -> str:
    """What a reader must rely on as well, for the verdicts that hold to hold for him."""
    parts = [t("holds.log", log=evidence.log_id.hex())] if _is_verified(evidence, "integrity") else []
    for anchor in (anchor for anchor in evidence.anchors if anchor.basis):
        values = {"contract": anchor.contract.hex(), "chain": anchor.chain_id}
        parts.append(t("holds.anchor", **values, block=anchor.last_number, hash=anchor.last_hash.hex()))
    if _has_certified(evidence):
        parts.append(t("holds.members", roots=t("comma").join(authorities(case.trust.member_roots))))
    if any(token.basis for token in evidence.tokens):
        parts.append(t("holds.authorities", roots=t("comma").join(authorities(case.trust.tsa_roots))))
    return t("holds", what=t("semicolon").join(dict.fromkeys(parts))) if parts else ""


def _assumed(case: Case) -> Iterator[str]:
    """Only what a verdict that holds rests on."""
    evidence = case.evidence
    yield "hash"
    if evidence is not None:
        blocks = [fact.basis for fact in evidence.anchors] + [fact.basis for fact in evidence.beacons]
        basis = {
            "log": _is_verified(evidence, "integrity"),
            "keys": _is_verified(evidence, "quorum"),
            "keccak": _is_verified(evidence, "quorum"),
            "quorum": _is_verified(evidence, "quorum"),
            "chain": any(blocks),
            "undone": any(blocks),
            "contract": any(fact.basis for fact in evidence.anchors),
            "members": _has_certified(evidence),
            "authority": any(fact.basis for fact in evidence.tokens),
            "endpoints": case.endpoints > 0,
            "vrf": bool(evidence.registry),
            "clock": not evidence.verdict("freshness").is_open,
        }
        yield from (name for name, is_so in basis.items() if is_so)
    yield "program"


def _is_verified(evidence: Evidence, name: str) -> bool:
    return evidence.verdict(name).result == VERIFIED


def _has_certified(evidence: Evidence) -> bool:
    names = [named(signer) for signer in evidence.signers]
    return any(name is not None and name.standing.startswith(CERTIFIED) for name in names)
