"""Before this member signs anything after a start: what have the others heard of its keys?

A store that was restored from a backup does not know what its keys have said since. So nothing is ordered,
countersigned or attested before q − 1 other validators (with us a quorum) have told the newest they hold of us.
Whatever became final with our word was signed by q − 1 others too, and two such groups share an honest one as long as
we, who have forgotten, count among the faulty (ADR 13). It costs no liveness: without q − 1 others nothing becomes
final. A single validator needs nobody. An answer depends on nothing but a store, so all may start at once.
"""

import logging
import threading
from collections.abc import Callable
from typing import Final

from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.adapters.sqlite.witness import Evidence
from hybrid_bridge.core.block import Countersignature
from hybrid_bridge.core.guard import Heard, judge_heard
from hybrid_bridge.core.proof import as_digest
from hybrid_bridge.core.signing import recover_address, require_signature
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import BridgeError, Broken, FieldMismatch, SignatureWrong
from hybrid_bridge.node.view import View
from hybrid_bridge.units import Address, Digest, EcdsaSignature, TreeSize

GRACE: Final = 5.0  # seconds in which all members may answer, when enough have: one more may know more
PUBLIC: Final = "the public chain"  # its name among those who answer
PAUSE: Final = 1.0  # seconds before a silent member is asked again
REMINDER: Final = 30.0  # seconds between two lines in the log while too few answer

_log = logging.getLogger(__name__)


class Hearing:
    """What the others have heard of our keys; opens our mouth when enough have said."""

    def __init__(
        self, view: View, guard: SqlGuard | None, *others: tuple[Address, SqlGuard], asks_public: bool = False
    ) -> None:
        """`guard`: of our key; `others`: of another one that follows it."""
        self._view = view
        self._guards = dict(others)
        if guard is not None and view.address is not None:
            self._guards[view.address] = guard
        names = {member.name for member in view.directory.members if member.name != view.name}
        self._others = frozenset(names) | ({PUBLIC} if asks_public else set())
        self._heard: frozenset[str] = frozenset()
        self._turn = threading.Lock()

    def run(self, opened: Callable[[], None]) -> None:
        """Wait until enough have answered, then speak; `opened` is called after that."""
        progress = self._view.progress
        progress.wait(lambda: self._heard >= self._others, GRACE)
        while not progress.wait(self._is_enough, REMINDER):
            if progress.stopping:
                return
            needed = self._needed(self._today())
            _log.warning("nothing is signed yet: %d of %d validators answered", self._count(self._today()), needed)
        self.speak()
        opened()

    def listen(self, peer: GrpcPeer, is_here: Callable[[], bool] = lambda: True) -> None:
        """Ask one peer until it has answered; late answers are judged as early ones are."""
        progress = self._view.progress
        while not progress.stopping and is_here():
            try:
                self.hear(peer)
            except Broken:
                raise
            except BridgeError as error:
                _log.info("%s says nothing about our keys: %s", peer.name, type(error).__name__)
                progress.wait(lambda: False, PAUSE)
            else:
                return

    def hear(self, peer: GrpcPeer) -> None:
        """One answer, judged; it counts when everything in it is true.

        Raises:
            BridgeError: it is silent, or shows as ours what our keys never signed.
        """
        for address in self._view.addresses or (Address(b""),):
            answer = peer.signatures(address, self._view.keys.identity.public.key_id)
            for seen in answer.newest:
                signature = require_signature(seen.signature)
                self.judge_attestation(peer.name, TreeSize(seen.size), as_digest(seen.root, "root"), signature)
            if answer.countersignature:
                self._judge_word(peer.name, Countersignature.decode(answer.countersignature))
        self.answered(peer.name)

    def answered(self, name: str) -> None:
        """This one has told all it knows."""
        with self._turn:
            self._heard |= {name}
        self._view.progress.nudge()

    def speak(self) -> None:
        """From now on this member signs what its rules allow."""
        view = self._view
        orders = view.directory.engine is None and view.directory.sequencer.name == view.name
        is_follower = view.address is not None and not orders
        view.chain.speak(view.keys.identity if is_follower else None)
        view.progress.raised("heard", 1)
        _log.info("%d validators told what they heard of us: we sign", self._count(self._today()))

    def permits(self, validators: ValidatorSet) -> bool:
        """Whether so many of a set have answered that its blocks and checkpoints may have our word (ADR 13, ADR 35).

        What became final with our word was signed by q − 1 others of that very set.
        """
        return self._count(validators) >= self._needed(validators)

    def _today(self) -> ValidatorSet:
        """The set responsible for what we execute now."""
        tip = self._view.chain.tip
        return self._view.directory.responsible(1 if tip is None else tip.epoch + 1)

    def _needed(self, validators: ValidatorSet) -> int:
        return validators.quorum - any(address in validators.addresses for address in self._view.addresses)

    def _count(self, validators: ValidatorSet) -> int:
        return len(self._view.directory.names_of(validators) & self._heard)

    def _is_enough(self) -> bool:
        return self.permits(self._today())

    def judge_attestation(self, name: str, size: TreeSize, root: Digest, signature: EcdsaSignature) -> None:
        """A checkpoint that our key signed: the one we know, another root of its size, or one we know nothing of.

        The last is another process with our key, or a guard of yesterday; a guard that begins at a floor knows nothing
        of what lies below, so our own log decides there, as far as it reaches.

        Raises:
            SignatureWrong: no signature of our key.
        """
        address = recover_address(self._view.directory.checkpoint(size, root).digest(), signature)
        if address not in self._view.addresses:
            raise SignatureWrong(signer=", ".join(f"0x{ours.hex()}" for ours in self._view.addresses))
        guard = self._guards.get(address)
        said = None if guard is None else guard.said(size)
        floor = TreeSize(0) if guard is None else guard.floor()
        if said is None and size <= min(floor, self._view.logbook.size):
            said = self._view.logbook.root(size)
        heard = judge_heard(size, root, said, floor)
        if said is not None and heard is Heard.EQUIVOCATION:
            second = root + signature
            evidence = Evidence(kind="checkpoint", signer=address, number=size, first=said, second=second)
            self._view.brake.pull(f"our key signed two roots of size {size} (seen by {name})", evidence)
        elif heard is Heard.UNKNOWN:
            self._view.brake.pull(f"our key signed size {size} in another process (seen by {name})")

    def _judge_word(self, name: str, word: Countersignature) -> None:
        """Our newest word for a block: we say nothing at or below its height that we have not said already."""
        view = self._view
        word.verify(view.keys.identity.public)
        if word.log_id != view.directory.log_id:
            raise FieldMismatch(field="log_id", expected=view.directory.log_id.hex(), got=word.log_id.hex())
        ours = view.ledger.header(word.height)
        if ours is not None and ours.block_hash != word.block_hash:
            view.brake.pull(f"our key signed another block at height {word.height} (seen by {name})")
        if ours is None and view.directory.engine is None and view.directory.sequencer.name == view.name:
            view.brake.pull(f"our store has lost block {word.height}, which {name} holds")
        view.chain.heard(word.height)
