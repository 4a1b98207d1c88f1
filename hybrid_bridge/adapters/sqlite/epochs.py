"""Closed epochs and what is said about them: records, batches, registry pairs, attestations, the log's own line."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from hybrid_bridge.adapters.sqlite import tables
from hybrid_bridge.adapters.sqlite.file import table_of
from hybrid_bridge.adapters.sqlite.store import Store, insert_new
from hybrid_bridge.core.note import NoteLine, VerifierKey
from hybrid_bridge.units import Address, Digest, EcdsaSignature, EpochNumber, Height, TreeSize

K = TypeVar("K")  # who signs

MAX_ROWS: Final = 256  # of one answer

_EPOCH, _ATTESTED, _LINE = table_of(tables.Epoch), table_of(tables.Attested), table_of(tables.LogLine)
_COSIGNATURE = table_of(tables.Cosignature)
_ATTEST, _ADD_LINE, _COSIGN = insert_new(_ATTESTED), insert_new(_LINE), insert_new(_COSIGNATURE)

# Built once: every member asks each of these several times an epoch, and building one takes longer than asking it.
_AFTER: Final[BindParameter[int]] = bindparam("after")
_ATTESTED_BY = select(_ATTESTED).where(_ATTESTED.c.address == bindparam("key"), _ATTESTED.c.size > _AFTER)
_ATTESTED_BY = _ATTESTED_BY.order_by(_ATTESTED.c.size).limit(bindparam("most"))
_NEWEST_ATTESTED = select(_ATTESTED.c.address, func.max(_ATTESTED.c.size)).group_by(_ATTESTED.c.address)
_LINES = select(_LINE).where(_LINE.c.size > _AFTER).order_by(_LINE.c.size).limit(MAX_ROWS)
_NEWEST_LINE = select(func.max(_LINE.c.size))
_COSIGNED = select(_COSIGNATURE).where(_COSIGNATURE.c.name == bindparam("name"), _COSIGNATURE.c.size > _AFTER)
_COSIGNED = _COSIGNED.where(_COSIGNATURE.c.key_id == bindparam("key")).order_by(_COSIGNATURE.c.size).limit(MAX_ROWS)
_SIGNER = _COSIGNATURE.c.name, _COSIGNATURE.c.key_id
_NEWEST_COSIGNED = select(*_SIGNER, func.max(_COSIGNATURE.c.size)).group_by(*_SIGNER)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedEpoch:
    """One closed epoch as stored."""

    number: EpochNumber
    end_block: Height
    record: bytes  # 640
    entries: bytes  # 37 each, in batch order
    pairs: bytes  # index ‖ commitment, ascending


@dataclass(frozen=True, slots=True)
class SizedSignature:
    """A signature over the checkpoint of one size."""

    size: TreeSize
    root: Digest
    signature: EcdsaSignature


class _Newest(Generic[K]):
    """The newest size of each key: all rows are read once, and followed from then on."""

    def __init__(self, read: Callable[[], Iterable[tuple[K, int]]]) -> None:
        self._read = read
        self._turn = threading.Lock()
        self._sizes: dict[K, TreeSize] = {}
        self._is_whole = False

    def follow(self, key: K, size: int) -> None:
        """It has signed this; after the commit."""
        with self._turn:
            self._sizes[key] = TreeSize(max(size, self._sizes.get(key, 0)))

    def of(self, key: K) -> TreeSize:
        """The newest of one key; zero for none."""
        if not self._is_whole:  # who reads at once reads the same; what is committed meanwhile is followed
            for read, size in self._read():
                self.follow(read, size)
            self._is_whole = True
        return self._sizes.get(key, TreeSize(0))


class SqlEpochs:
    """The part of the ledger's store that begins where an epoch ends. No other object may write its signatures."""

    def __init__(self, file: Store) -> None:
        self._file = file
        self._attested: _Newest[Address] = _Newest(self._all_attested)
        self._cosigned: _Newest[tuple[str, bytes]] = _Newest(self._all_cosigned)

    def add(self, epoch: ClosedEpoch) -> None:
        """Commit a closed epoch before anything is said about it."""
        with self._file.write() as connection:
            add_epoch(connection, epoch)

    def all_records(self) -> list[bytes]:
        """Every epoch record, in order: the log's leaves after the genesis record."""
        with self._file.read() as connection:
            return list(connection.execute(select(_EPOCH.c.record).order_by(_EPOCH.c.number)).scalars())

    def newest(self) -> EpochNumber:
        """The newest closed epoch; epoch 0 stands from the beginning."""
        with self._file.read() as connection:
            return EpochNumber(connection.execute(select(func.max(_EPOCH.c.number))).scalar_one())

    def epochs(self, first: EpochNumber, last: EpochNumber) -> list[ClosedEpoch]:
        """The closed epochs first … last, at most `MAX_ROWS`."""
        query = select(_EPOCH).where(_EPOCH.c.number >= first, _EPOCH.c.number <= last)
        with self._file.read() as connection:
            rows = connection.execute(query.order_by(_EPOCH.c.number).limit(MAX_ROWS)).all()
        return [
            ClosedEpoch(
                number=EpochNumber(row.number),
                end_block=Height(row.end_block),
                record=row.record,
                entries=row.entries,
                pairs=row.pairs,
            )
            for row in rows
        ]

    # ── attestations ─────────────────────────────────────────────────────────────────────────────────────────────────

    def attest(self, address: Address, signed: SizedSignature) -> None:
        """Keep a verified attestation. The first one of an address and size stays."""
        row = {"size": signed.size, "address": address, "root": signed.root, "signature": signed.signature}
        with self._file.write() as connection:
            connection.execute(_ATTEST, [row])
        self._attested.follow(address, signed.size)

    def attested(self, address: Address, after: TreeSize, limit: int = MAX_ROWS) -> list[SizedSignature]:
        """Attestations by one key above a size, ascending."""
        with self._file.read() as connection:
            rows = connection.execute(_ATTESTED_BY, {"key": address, "after": after, "most": limit}).all()
        return [SizedSignature(row.size, row.root, row.signature) for row in rows]

    def newest_attested(self, address: Address) -> TreeSize:
        """The largest size that this key attested; zero for none."""
        return self._attested.of(address)

    def _all_attested(self) -> list[tuple[Address, int]]:
        with self._file.read() as connection:
            return [(Address(address), size) for address, size in connection.execute(_NEWEST_ATTESTED)]

    def signatures(self, size: TreeSize, root: Digest) -> Mapping[Address, EcdsaSignature]:
        """All kept attestations of one checkpoint."""
        query = select(_ATTESTED).where(_ATTESTED.c.size == size, _ATTESTED.c.root == root)
        with self._file.read() as connection:
            rows = connection.execute(query.order_by(_ATTESTED.c.address)).all()
        return {Address(row.address): EcdsaSignature(row.signature) for row in rows}

    # ── the log's own line ───────────────────────────────────────────────────────────────────────────────────────────

    def add_line(self, size: TreeSize, signature: bytes) -> None:
        """Keep the log key's verified signature over a note."""
        with self._file.write() as connection:
            connection.execute(_ADD_LINE, [{"size": size, "signature": signature}])

    def lines(self, after: TreeSize) -> Sequence[tuple[TreeSize, bytes]]:
        """The log key's signatures above a size, ascending."""
        with self._file.read() as connection:
            return [(TreeSize(row.size), row.signature) for row in connection.execute(_LINES, {"after": after})]

    def line(self, size: TreeSize) -> bytes | None:
        """The log key's signature over one note."""
        with self._file.read() as connection:
            return connection.execute(select(_LINE.c.signature).where(_LINE.c.size == size)).scalar()

    def newest_line(self) -> TreeSize:
        """The largest size with a signature of the log key; zero for none."""
        with self._file.read() as connection:
            return TreeSize(connection.execute(_NEWEST_LINE).scalar() or 0)

    # ── lines that count for no quorum ───────────────────────────────────────────────────────────────────────────────

    def cosign(self, size: TreeSize, line: NoteLine) -> None:
        """Keep a verified line under a note. The first one of a key and size stays."""
        row = {"size": size, "name": line.name, "key_id": line.key_id, "signature": line.signature}
        with self._file.write() as connection:
            connection.execute(_COSIGN, [row])
        self._cosigned.follow((line.name, line.key_id), size)

    def cosignatures(self, size: TreeSize) -> list[NoteLine]:
        """The lines kept under one note, ascending by name."""
        query = select(_COSIGNATURE).where(_COSIGNATURE.c.size == size)
        with self._file.read() as connection:
            rows = connection.execute(query.order_by(_COSIGNATURE.c.name, _COSIGNATURE.c.key_id)).all()
        return [NoteLine(row.name, row.key_id, row.signature) for row in rows]

    def cosigned(self, key: VerifierKey, after: TreeSize) -> dict[TreeSize, bytes]:
        """What one key put under notes above a size, ascending, at most `MAX_ROWS`."""
        with self._file.read() as connection:
            rows = connection.execute(_COSIGNED, {"name": key.name, "key": key.key_id, "after": after})
            return {TreeSize(row.size): row.signature for row in rows}

    def newest_cosigned(self, key: VerifierKey) -> TreeSize:
        """The largest size that this key cosigned; zero for none."""
        return self._cosigned.of((key.name, key.key_id))

    def _all_cosigned(self) -> list[tuple[tuple[str, bytes], int]]:
        with self._file.read() as connection:
            return [((name, key_id), size) for name, key_id, size in connection.execute(_NEWEST_COSIGNED)]


def add_epoch(connection: Connection, epoch: ClosedEpoch) -> None:
    """Within a transaction of the caller's."""
    row = {name: getattr(epoch, name) for name in ("number", "end_block", "record", "entries", "pairs")}
    connection.execute(_EPOCH.insert(), [row])
