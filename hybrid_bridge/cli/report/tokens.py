"""Commands for RFC 3161 timestamps and for documents outside the file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.cli.report import shell
from hybrid_bridge.cli.report.case import Case
from hybrid_bridge.cli.report.model import Step
from hybrid_bridge.cli.report.strangers import quoted, word
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.core.bundle import TokenAnchor
from hybrid_bridge.core.checkpoint import Note, parse_note
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.timestamp import Token, decode_token, digest_by
from hybrid_bridge.errors import BridgeError, Malformed

TRUST = "trust.json"
OPENSSL_NAMES: Final = {
    "sha-256": "sha256",
    "sha-384": "sha384",
    "sha-512": "sha512",
    "sha3-256": "sha3-256",
    "sha3-512": "sha3-512",
}
VERIFIED = "Verification: OK"  # what OpenSSL says


@dataclass(frozen=True, slots=True)
class Stamped:
    """A token that a command has taken out of the file, and the digest that it must be over."""

    token: Token
    name: str  # of the file that holds it
    place: str  # what it is over, for people
    digest: str  # hex
    where: str  # of `digest`


def tokens(case: Case, t: Words) -> list[Step]:
    """For each token over a checkpoint: take it out, compare its imprint, verify it under the trust file."""
    bundle = case.bundle
    notes = {} if bundle is None else dict(_notes([part.note for part in bundle.checkpoints]))
    anchors = [] if bundle is None else [a for a in bundle.anchors if isinstance(a, TokenAnchor)]
    found: list[Step] = []
    for number, anchor in enumerate(anchors):
        try:
            token = decode_token(anchor.token)
        except BridgeError:
            continue  # what cannot be read is in the findings
        note = notes.get(anchor.tree_size)
        name = f"token-{number}.der"
        taken = shell.extract(case.data, anchor.token, shell.BUNDLE, name)
        if note is None or taken is None or token.hash not in OPENSSL_NAMES:
            continue
        place, digest = t("step.size", size=note.size), digest_by(token.hash, note.body()).hex()
        found.append(Step(t("step.stamp", place=place), taken, sha256(anchor.token).hex()))
        stamped = Stamped(token, name, place, digest, t("where.note"))
        found += [*compared(stamped, t), *judged(case, stamped, t)]
    return each_once(found)


def each_once(steps: list[Step]) -> list[Step]:
    """The authorities are taken out once, however many tokens there are."""
    return list({step.command: step for step in steps}.values())


def _notes(texts: list[str]) -> Iterator[tuple[int, Note]]:
    for text in texts:
        try:
            note = parse_note(text)
        except Malformed:
            continue
        yield note.size, note


def compared(stamped: Stamped, t: Words) -> Iterator[Step]:
    """The digest that the token is over, where it holds it: its place in the DER bytes is fixed by the token."""
    token = stamped.token
    at, width = token.der.find(token.imprint), len(token.imprint)
    command = f"tail -c +{at + 1} {stamped.name} | head -c {width} | xxd -p -c {width}"
    title = t("step.stamp_imprint", place=stamped.place)
    yield Step(title, command, token.imprint.hex(), stamped.digest, stamped.where)


def judged(case: Case, stamped: Stamped, t: Words) -> Iterator[Step]:
    """Under the authority that the evidence says it leads to; with several, all of them go into one file."""
    roots, token = case.trust.tsa_roots, stamped.token
    trusted = case.evidence is not None and any(f.basis and f.sha256 == sha256(token.der) for f in case.evidence.tokens)
    if not trusted or case.trust_data is None:
        return
    for number, root in enumerate(roots):
        der = f"tsa-root-{number}.der"
        taken = shell.extract(case.trust_data, root, TRUST, der)
        if taken is None:
            return
        yield Step(t("step.tsa_root", number=number), taken, sha256(root).hex(), needs=TRUST)
    ders = " ".join(f"tsa-root-{number}.der" for number in range(len(roots)))
    command = (
        f"for f in {ders}; do openssl x509 -inform DER -in $f; done > tsa-roots.pem\n"
        f"openssl ts -verify -in {stamped.name} -token_in -attime {token.by} -CAfile tsa-roots.pem \\\n"
        f"{shell.wrapped('  -digest ' + stamped.digest)} \\\n  2>&1 | grep -x '{VERIFIED}'"
    )
    yield Step(t("step.stamp_verify", place=stamped.place), command, VERIFIED, needs=TRUST)


def documents(case: Case, t: Words) -> list[Step]:
    """The names here are ours: a document's own name is its holder's, and no command takes it."""
    if case.evidence is None:
        return []
    return [
        Step(
            f"{t('step.document', number=number)}: {quoted(fact.name)}",
            f"sha256sum document-{number} | cut -c1-64",
            fact.sha256.hex(),
            fact.sha256.hex(),
            t("where.field", name=word(fact.field)),
            needs=f"document-{number}",
        )
        for number, fact in enumerate(case.evidence.artefacts)
    ]
