"""A consortium whose log stands on a devnet, for tests of `hybrid-bridge contract …`: folders, notes, tiles, bundles."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.adapters.evm import keystore_signer
from hybrid_bridge.adapters.evm.artefact import REGISTRY
from hybrid_bridge.adapters.evm.calls import anchor_calldata, rotate_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.deployments import deployed
from hybrid_bridge.adapters.evm.keystore import open_keystore
from hybrid_bridge.adapters.evm.transact import Patience, transact
from hybrid_bridge.core.attestation import Checkpoint, boundary, seals, set_update_digest
from hybrid_bridge.core.bundle import Bundle, CheckpointPart, GenesisPart, ValidatorPart
from hybrid_bridge.core.checkpoint import format_note, quorum_line
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest, to_compact
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.node.founding import Foundation, Founder, Plan, found
from hybrid_bridge.node.laying import lay
from hybrid_bridge.ports import Rotation, Update
from hybrid_bridge.units import Address, Seconds, SetId, TreeSize, UnixSeconds
from tests.engines import rpc_of
from tests.evm.chains import NOW
from tests.evm.terminal import Terminal

NAMES = ("a", "b", "c", "d")
REASON = "keys of two members may be stolen"
OTHER_KEY = b"\x77" * 32


def founded(guardian: bytes, name: str, cadence: int = 60) -> Foundation:
    """Four validators, a log some hours old."""
    founders = tuple(
        Founder(
            name=one,
            legal_name=one,
            legal_id=f"LEI:{one.upper()}",
            roles=("validator", "sequencer") if one == "a" else ("validator",),
            endpoint="127.0.0.1:9",
        )
        for one in NAMES
    )
    plan = Plan(
        origin=f"test.example/{name}",
        genesis_time=UnixSeconds(NOW - 36_000),
        cadence=Seconds(cadence),
        grace=Seconds(600),
        founders=founders,
        guardian=guardian,
        receipts=False,
    )
    return found(plan, secrets.token_bytes, UnixSeconds(NOW - 36_000))


class Town:
    """One consortium's folders, its log on the devnet, and a user with gas. Files have names of their own."""

    def __init__(self, terminal: Terminal, folder: Path, foundation: Foundation) -> None:
        self.terminal, self.folder, self.genesis = terminal, folder, foundation.genesis
        lay(foundation, folder)
        self.log_id, self.origin = self.genesis.log_id, (folder / "public" / "origin.txt").read_text().strip()
        self.entries = folder / "public" / "entries.bin"
        self.validators = ValidatorSet.decode_entries(SetId(1), self.entries.read_bytes())
        keys = [bytes.fromhex((folder / "nodes" / n / "keys" / "attestation.key").read_text()) for n in NAMES]
        self.keys = {address_of(public_key_of(key)): key for key in keys}
        self.chain = Web3Chain(rpc_of(terminal.devnet.url), deployed(terminal.deployments, 31337, REGISTRY).address)
        self.gas_key = keystore_signer.KeystoreTransactionSigner.open(terminal.key, lambda: "secret")
        self.leaves = [self.log_id, *(leaf_hash(b"epoch %d of " % n + self.log_id) for n in range(1, 40))]
        self.made = 0
        self.register(folder / "public" / "genesis.bin")

    def register(self, genesis: Path) -> None:
        what = ("--genesis", genesis, "--origin", self.origin, "--entries", self.entries)
        self.terminal.run("register", *self.terminal.paying, *what, "--yes")

    def new(self) -> Path:
        self.made += 1
        return self.folder / f"made-{self.made}.json"

    @property
    def asking(self) -> tuple[object, ...]:
        return "--rpc", self.terminal.devnet.url, "--log", self.log_id.hex()

    @property
    def sending(self) -> tuple[object, ...]:
        return *self.terminal.paying, "--yes"

    @property
    def head(self) -> Any:
        return self.chain.head(self.log_id, self.chain.latest())

    # ── statements ──

    def draft(self, kind: str, *more: object) -> Path:
        if kind != "retire":
            more = ("--reason", REASON, *more)
        self.terminal.run("draft", kind, *self.asking, *more, "--out", (out := self.new()))
        return out

    def signed(self, draft: Path, by: str = "abc") -> list[Path]:
        return [self.sign(draft, name) for name in by]

    def sign(self, draft: Path, name: str) -> Path:
        self.terminal.run("sign", draft, "--dir", self.folder / "nodes" / name, "--out", (out := self.new()), "--yes")
        return out

    def send(self, kind: str, files: list[Path], *more: object, **how: Any) -> Any:
        arguments = (kind, *files, "--entries", self.entries, *self.sending, *more)
        return self.terminal.run(*arguments, **how) if how else self.terminal.json(*arguments)

    def paused(self, seconds: int = 3600) -> Path:
        """A pause stands; its draft."""
        draft = self.draft("pause", "--for", seconds)
        assert self.send("pause", self.signed(draft))["head"]["state"] == "paused"
        return draft

    # ── checkpoints ──

    def tree(self, size: int, salt: bytes = b"") -> Tree:
        """The honest log, or one that leaves it at index 5."""
        tree = Tree()
        tree.extend(
            [leaf if n < 5 or not salt else leaf_hash(salt + leaf) for n, leaf in enumerate(self.leaves[:size])]
        )
        return tree

    def checkpoint(self, size: int, salt: bytes = b"") -> Checkpoint:
        return Checkpoint(
            log_id=self.log_id,
            tree_size=TreeSize(size),
            root=self.tree(size, salt).root(),
            timestamp=boundary(self.genesis.genesis_time, self.genesis.cadence, TreeSize(size)),
            set_id=self.validators.set_id,
            set_hash=self.validators.digest,
        )

    def signatures(self, digest: bytes, count: int = 3, skip: int = 0) -> dict[Any, Any]:
        return {a: sign_digest(self.keys[a], digest) for a in self.validators.addresses[skip : skip + count]}

    def anchor(self, size: int) -> None:
        checkpoint, older = self.checkpoint(size), self.head.tree_size
        signers, packed = seals(self.validators, self.signatures(checkpoint.digest()))
        path = self.tree(size).consistency_path(older, TreeSize(size))
        values = {"log_id": self.log_id, "from_size": older, "tree_size": TreeSize(size), "root": checkpoint.root}
        update = Update(**values, set_hash=self.validators.digest, signers=signers, path=tuple(path), seals=packed)
        self.sent(anchor_calldata(update))

    def sent(self, data: bytes) -> None:
        transact(self.chain, self.gas_key, self.chain.contract, data, Patience(3, 0.0, lambda _: None))

    def settle(self) -> None:
        for _ in range(4):  # all of it is final
            self.chain.rpc.ask("evm_mine")

    # ── another set ──

    def rotate(self, from_size: int) -> ValidatorSet:
        """A set in which the first member has another key is responsible from that size on."""
        first = self.validators.entries[0]
        replaced = Address(address_of(public_key_of(OTHER_KEY)))
        entries = sorted([replace(first, address=replaced), *self.validators.entries[1:]], key=lambda e: e.address)
        second = ValidatorSet(SetId(2), tuple(entries))
        digest = set_update_digest(
            31337, self.chain.contract, self.log_id, SetId(2), second.digest, TreeSize(from_size)
        )
        signers, packed = seals(self.validators, self.signatures(digest))
        rotation = Rotation(
            log_id=self.log_id,
            effective_from_size=TreeSize(from_size),
            set_hash=self.validators.digest,
            signers=signers,
            seals=packed,
            entries=second.encode_entries(),
            newcomers=to_compact(sign_digest(OTHER_KEY, digest)),
        )
        self.sent(rotate_calldata(rotation))
        self.keys[replaced] = OTHER_KEY
        return second

    def note(self, size: int, salt: bytes = b"", count: int = 3, skip: int = 0) -> Path:
        """A checkpoint signed by some members, in a file."""
        checkpoint = self.checkpoint(size, salt)
        lines = [
            quorum_line(self.origin, address, checkpoint.timestamp, checkpoint.set_id, signature)
            for address, signature in self.signatures(checkpoint.digest(), count, skip).items()
        ]
        (out := self.new()).write_text(format_note(self.origin, TreeSize(size), checkpoint.root, lines))
        return out

    def tiles(self, size: int, salt: bytes = b"") -> Path:
        """The log's tiles, hashes only."""
        from hybrid_bridge.core.tiles import CHECKPOINT, hash_tiles  # noqa: PLC0415

        out = self.folder / f"tiles-{size}-{salt.hex()}"
        for path, data in hash_tiles([self.tree(size, salt).leaf(n) for n in range(size)]):
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_bytes(data)
        (out / CHECKPOINT).write_bytes(self.note(size, salt).read_bytes())
        return out

    def bundle(self, *notes: tuple[Path, Sequence[bytes]]) -> Path:
        """A bundle of these checkpoints, each with the path from the one before, and of no epoch."""
        of_founders = tuple(
            ValidatorPart(
                address=entry.address,
                name="a name",
                certificate_hash=entry.certificate_hash,
                key_binding=bytes(183),
            )
            for entry in self.validators.entries
        )
        made = Bundle(
            purpose="checkpoint",
            genesis=GenesisPart(origin=self.origin, record=self.genesis.encode(), path=(), validators=of_founders),
            checkpoints=tuple(CheckpointPart(note=note.read_text(), consistency=tuple(path)) for note, path in notes),
            epochs=(),
        )
        (out := self.new()).write_bytes(made.encode())
        return out

    def report(self, kind: str, *files: object, **how: Any) -> Any:
        arguments = ("report", kind, *files, "--log", self.log_id.hex(), "--entries", self.entries, *self.sending)
        return self.terminal.run(*arguments, **how) if how else self.terminal.json(*arguments)


@contextmanager
def opened(folder: Path) -> Iterator[Terminal]:
    """A devnet with the contracts, and a user with gas on it."""
    made = Terminal(folder)
    with pytest.MonkeyPatch.context() as patched:
        private = open_keystore(made.key, lambda: "secret")  # scrypt once, not in each command
        patched.setattr(keystore_signer, "open_keystore", lambda *_: private)
        made.run("deploy", *made.paying, "--yes", "--out", made.deployments)
        yield made
    made.devnet.stop()
