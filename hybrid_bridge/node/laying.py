"""Lay a foundation on disk: every file with its mode, every member's stores with the state before the first block."""

from collections.abc import Sequence
from pathlib import Path

from hybrid_bridge.adapters.sqlite.epochs import ClosedEpoch
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.adapters.sqlite.records import SqlRecords
from hybrid_bridge.core.registry import Pair
from hybrid_bridge.errors import SettingsMalformed
from hybrid_bridge.node.directory import Directory, member_entry, read_directory
from hybrid_bridge.node.founding import SECRET_MODE, File, Foundation
from hybrid_bridge.node.logbook import join_pairs
from hybrid_bridge.node.settings import ENGINE_HOME, NodeSettings, read_settings
from hybrid_bridge.node.stores import files_of
from hybrid_bridge.steps.commit import MemberInfo, genesis_state
from hybrid_bridge.units import Address, EpochNumber

GUARD = "guard.db"
READINGS = "readings.db"  # a regulator's; made when it is first opened


def guard_path(folder: Path, address: Address) -> Path:
    """Where the guard of an attestation key is: of one that came later under the key's own name (ADR 35)."""
    own = folder / f"guard-{address.hex()}.db"
    return own if own.exists() else folder / GUARD


def lay(foundation: Foundation, out: Path) -> None:
    """Write everything below `out`, which must not be there or be empty.

    Raises:
        SettingsMalformed: `out` holds something already.
    """
    if out.exists() and any(out.iterdir()):
        raise SettingsMalformed(key="out", rule="a new or empty folder")
    for name, file in foundation.files.items():
        _write(out / name, file)
    for member in foundation.members:
        folder = out / "nodes" / member.name
        if (folder / ENGINE_HOME).exists():
            (folder / ENGINE_HOME).chmod(0o700)  # the engine keeps every block there, readable by all
        make_stores(read_settings(folder), read_directory(folder), foundation.dummies)


def make_stores(settings: NodeSettings, directory: Directory, dummies: Sequence[Pair]) -> None:
    """A member's empty stores, in the folder of its settings. `dummies`: the registry pairs of epoch 0."""
    name, genesis = settings.name, directory.genesis
    member = next((m for m in directory.members if m.name == name), None)
    validators = [m for m in directory.members if "validator" in m.roles]
    infos = [MemberInfo(member_entry(m), directory.identities[m.name].key_id) for m in validators]
    first = ClosedEpoch(
        number=EpochNumber(0),
        end_block=genesis.first_block,
        record=genesis.encode(),
        entries=b"",
        pairs=join_pairs(dummies),
    )
    engine = () if directory.engine is None else directory.engine.validators
    files = files_of(settings)
    ledger, records = SqlLedger(files[0]), SqlRecords(files[1])
    ledger.create(genesis.log_id, name, genesis_state(genesis, infos, engine), first)
    ledger.close()
    if member is not None and member.address is not None:
        guard = SqlGuard(settings.path(GUARD))
        guard.create(genesis.log_id, Address(member.address))
        guard.close()
    records.create(genesis.log_id, name)
    records.close()


def _write(path: Path, file: File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if file.mode == SECRET_MODE else 0o755)
    path.touch(mode=file.mode, exist_ok=False)  # the mode before the content
    path.write_bytes(file.data)
