"""Commands for RFC 3161 timestamps and for documents outside the file."""

from collections.abc import Iterator

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
OPENSSL_NAMES = {"sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}
VERIFIED = "Verification: OK"  # what OpenSSL says


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
        found.append(Step(t("step.token", size=note.size), taken, sha256(anchor.token).hex()))
        found += _imprint(token, note, name, t)
        found += _verified(case, token, note, name, t)
    return found


def _notes(texts: list[str]) -> Iterator[tuple[int, Note]]:
    for text in texts:
        try:
            note = parse_note(text)
        except Malformed:
            continue
        yield note.size, note


def _imprint(token: Token, note: Note, name: str, t: Words) -> Iterator[Step]:
    """The digest of the note's text, where the token holds it: its place in the DER bytes is fixed by the token."""
    at = token.der.find(token.imprint)
    value = token.imprint.hex()
    command = f"tail -c +{at + 1} {name} | head -c {len(token.imprint)} | xxd -p -c {len(token.imprint)}"
    stated = digest_by(token.hash, note.body()).hex()
    yield Step(t("step.token_imprint", size=note.size), command, value, stated, t("where.note"))


def _verified(case: Case, token: Token, note: Note, name: str, t: Words) -> Iterator[Step]:
    """Under the authority that the evidence says it leads to; with several, all of them go into one file."""
    roots = case.trust.tsa_roots
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
    digest = digest_by(token.hash, note.body()).hex()
    command = (
        f"for f in {ders}; do openssl x509 -inform DER -in $f; done > tsa-roots.pem\n"
        f"openssl ts -verify -in {name} -token_in -attime {token.by} -CAfile tsa-roots.pem \\\n"
        f"  -digest {digest} \\\n  2>&1 | grep -x '{VERIFIED}'"
    )
    yield Step(t("step.token_verify", size=note.size), command, VERIFIED, needs=TRUST)


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
