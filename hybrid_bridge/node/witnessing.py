"""Members watch one another: each asks every peer what it has signed, and keeps it.

One thread a peer holds a question open there, so words arrive when they are made and idle members are quiet. From the
countersignatures follows finality, from the attestations the quorum note. Who signs two things at one height or size
leaves evidence; when it is the sequencer, we sign no more.
Stored is one word of a peer for each height up to a little beyond our own tip, one for each size that we closed, and
evidence up to a limit: a peer that says more is told nothing and keeps its words.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer, Marks
from hybrid_bridge.adapters.sqlite.epochs import SizedSignature
from hybrid_bridge.adapters.sqlite.ledger import StoredBlock
from hybrid_bridge.adapters.sqlite.witness import MAX_ROWS, Evidence
from hybrid_bridge.core.block import HEADER_BYTES, Countersignature
from hybrid_bridge.core.proof import as_digest
from hybrid_bridge.core.signing import require_signature
from hybrid_bridge.errors import AnswerMalformed, BridgeError, Broken, Equivocation, FieldMismatch
from hybrid_bridge.node.cosigning import Cosigner, take_mldsa
from hybrid_bridge.node.finality import Sitting, final_in
from hybrid_bridge.node.view import View
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Address, Digest, Height, KeyId, TreeSize

HOLD: Final = 15.0  # seconds a peer may hold its answer
MAX_AHEAD: Final = 1 << 12  # heights beyond our own; words from farther wait until we are there
PAUSE: Final = 1.0  # seconds after a peer that is silent

_log = logging.getLogger(__name__)


class Watch:
    """Watches all peers and says what follows from their words."""

    def __init__(self, view: View, since: Height = Height(0)) -> None:  # noqa: B008 an integer
        """`since`: words for blocks below are not asked for; they came by snapshot, and the newer ones bind them."""
        self._view, self._directory, self._before = view, view.directory, Height(max(since - 1, 0))
        self._progress, self._brake = view.progress, view.brake
        self._orderer = self._directory.sequencer.name if self._directory.engine is None else None
        self._compared: dict[str, int] = {}
        self._cosigner = Cosigner(view)
        self.judge()

    def run(self, peer: GrpcPeer, is_here: Callable[[], bool] = lambda: True) -> None:
        """Watch one peer until stopped, or until it is none of ours any more."""
        while not self._progress.stopping and is_here():
            try:
                waiting = self.ask(peer, HOLD)
            except Broken:
                raise
            except BridgeError as error:
                _log.info("no word from %s: %s", peer.name, type(error).__name__)
                self._progress.wait(lambda: False, PAUSE)
            else:
                if waiting:  # look again when we have grown
                    self._progress.wait_above("size", self._progress.size, PAUSE)

    def ask(self, peer: GrpcPeer, hold: float) -> bool:
        """One question to one peer. True when it is too early for the next: it is ahead of us, or told nothing new.

        Raises:
            BridgeError: it is silent, or says what cannot be.
        """
        identity, marks = self._directory.identities[peer.name], self._marks(peer.name)
        answer = peer.witness(marks, hold)
        kinds = answer.countersignatures, answer.attestations, answer.log_lines, answer.cosignatures
        if max(map(len, kinds)) > MAX_ROWS:
            raise AnswerMalformed(endpoint=peer.name, call="Witness", rule=f"at most {MAX_ROWS} words of a kind")
        ahead = self._take_words(peer, answer.countersignatures)
        self._compare_all(peer, identity.key_id)
        if answer.countersignatures:
            self.judge()
        ahead = self._take_attestations(peer.name, answer.attestations) or ahead
        ahead = self._take_cosignatures(peer.name, answer.cosignatures) or ahead
        ahead = self._take_lines(peer.name, answer.log_lines) or ahead  # last: a wrong one hides no evidence
        return ahead or (any(kinds) and self._marks(peer.name) == marks)  # it would tell the same again at once

    def _marks(self, name: str) -> Marks:
        """Up to where we hold a peer's words, by whichever of its keys: the ledger may name one not yet in use."""
        directory, newest_of = self._directory, self._view.witness.newest_of
        return Marks(
            height=max([self._before, *map(newest_of, directory.key_ids(name))]),
            size=max(map(self._newest, directory.addresses(name)), default=TreeSize(0)),
            line=self._line(name),
            cosigned=self._cosigner.newest_of(name),
        )

    def _line(self, name: str) -> TreeSize:
        """Whoever holds the log's keys tells each line: who has not told the newest is asked for it, here or not."""
        newest, told = self._progress.line, self._view.logbook.tellers.get(name, TreeSize(0))
        return newest if told >= newest else TreeSize(newest - 1)

    def judge(self) -> None:
        """Say which block is final now."""
        final, roll = self._progress.final, self._directory.roll
        keys = {key for term in roll.terms for key in roll.signers(term.validators)}
        reached = self._view.witness.agreed(keys, final)  # first: a term that ends meanwhile bounds it
        self._progress.raised("final", final_in(self._sittings(final), reached, final))

    def _sittings(self, final: Height) -> Iterator[Sitting]:
        """The sets whose terms reach beyond what is final: set s from epoch first_size(s) − 1 on (SPEC §8.1)."""
        roll, after = self._directory.roll, self._view.ledger.first_height_after
        for term in roll.terms:
            first, end = after(max(term.first_size - 2, 0)), roll.end(term)
            following = None if end is None else after(end - 2)
            if first is not None and (following is None or following > final):
                last = None if following is None else Height(following - 1)
                keys = roll.signers(term.validators)
                yield Sitting(keys, len(term.validators.entries), first, last)

    def _take_words(self, peer: GrpcPeer, said: Sequence[bytes]) -> bool:
        """Verify and keep; True when some speak of heights far beyond our own. What came before a bad one is kept."""
        words = list[Countersignature]()
        try:
            for data in said:
                word = Countersignature.decode(data)
                self._require_own(peer, word)
                if word.height > self._progress.tip + MAX_AHEAD:
                    return True
                words.append(word)
        finally:
            if words:
                self._keep_words(peer.name, words)
        return False

    def _require_own(self, peer: GrpcPeer, word: Countersignature) -> None:
        if self._directory.name_of(word.signer) != peer.name:
            raise FieldMismatch(field="signer", expected=peer.name, got=word.signer.hex())
        word.verify(self._directory.key(word.signer))
        if word.log_id != self._directory.log_id:
            raise FieldMismatch(field="log_id", expected=self._directory.log_id.hex(), got=word.log_id.hex())

    def _keep_words(self, name: str, words: Sequence[Countersignature]) -> None:
        against = self._view.witness.add_all(words)
        first = min(word.height for word in words)
        self._compared[name] = min(self._compared.get(name, first), Height(first - 1))
        if against:  # of an answer full of them one halts and proves as much as all
            before, word = against[0]
            evidence = Evidence(
                kind="block", signer=word.signer, number=word.height, first=before.encode(), second=word.encode()
            )
            self._accuse(name, evidence)
            raise Equivocation(signer=name, number=word.height, first=before.block_hash, second=word.block_hash)

    def _compare_all(self, peer: GrpcPeer, signer: KeyId) -> None:
        """Compare the peer's words with our blocks, each once, whichever came first."""
        after, tip = self._compared.get(peer.name, 0), self._progress.tip
        found = self._view.witness.disagreeing(signer, Height(after), tip)
        for word in found:
            self._compare(peer, word)
        self._compared[peer.name] = found[-1].height if len(found) == MAX_ROWS else tip

    def _compare(self, peer: GrpcPeer, word: Countersignature) -> None:
        """A peer countersigned another block than ours: the sequencer made two, or the peer speaks for none.

        With a consensus engine nobody's word puts a block in order: the peer lies, or computes what others do not.
        """
        stored = self._view.ledger.blocks(word.height)[0]
        ours = stored.sealed or stored.data[:HEADER_BYTES]
        evidence = Evidence(kind="block", signer=word.signer, number=word.height, first=ours, second=word.encode())
        if peer.name == self._orderer:
            self._accuse(peer.name, evidence)
            return
        for message in peer.blocks(word.height, PAUSE, follow=False) if self._orderer is not None else ():
            self._view.chain.accept(StoredBlock(message.block, message.order), None)  # raises if it is another
            break
        _log.error("%s countersigned a block at height %d that nobody ordered", peer.name, word.height)
        self._brake.keep(replace(evidence, kind="stray"))

    def _accuse(self, name: str, evidence: Evidence) -> None:
        """Keep it; if it is the sequencer's, where that one orders, sign no more."""
        if name == self._orderer:
            self._brake.pull(f"{name} signed two blocks at height {evidence.number}", evidence)
        else:
            self._brake.keep(evidence)

    # ── attestations ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _newest(self, address: Address) -> TreeSize:
        return self._view.logbook.newest_attested(address)

    def _take_lines(self, name: str, said: Sequence[pb.SizedSignature]) -> bool:
        """Verify and keep the log key's lines; True when some speak of sizes that we have not closed ourselves.

        Or that leave one out: from then on nobody would be asked for it, and holding the keys we would not sign it.
        """
        for line in said:
            if line.size > min(self._progress.size, max(self._progress.line, 1) + 1):
                return True
            self._view.logbook.take_line(TreeSize(line.size), line.signature, name)
        return False

    def _take_attestations(self, name: str, said: Sequence[pb.SizedSignature]) -> bool:
        """Verify and keep; True when some speak of sizes that we have not closed ourselves, or of other roots."""
        is_other = False
        for attestation in said:
            if attestation.size > self._progress.size:
                return True
            address = self._directory.attester(name, attestation.size)
            if address is None:
                raise FieldMismatch(field="attestation", expected="by a validator of its set", got=name)
            signed = SizedSignature(
                TreeSize(attestation.size), Digest(attestation.root), require_signature(attestation.signature)
            )
            self._view.logbook.take_attestation(address, signed)
            if signed.root != self._view.logbook.root(signed.size):
                is_other = True  # evidence is kept; it will be told again, so do not ask at once
            elif attestation.mldsa:
                take_mldsa(self._view, address, signed.size, attestation.mldsa)
        return is_other

    def _take_cosignatures(self, name: str, said: Sequence[pb.SizedSignature]) -> bool:
        """Verify and keep; True when some speak of sizes that we have not closed ourselves, or of other roots."""
        is_other = False
        for line in said:
            if line.size > self._progress.size:
                return True
            size, root = TreeSize(line.size), as_digest(line.root, "root")
            self._cosigner.take(name, size, root, line.signature)
            is_other = is_other or root != self._view.logbook.root(size)
        return is_other
