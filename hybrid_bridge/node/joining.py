"""A newcomer takes the proposal that admits it: the log's keys, the registry of epoch 0, stores of its own.

All is made in a folder apart and then put in place, file by file, each whole or not at all; the VRF key comes last, and
no node runs without it. So a join that died is made again, and what the dead one had put in place stays.
Source: ADR 35.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.sqlite.file import sync_path, write_whole
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.registry import Pair, PrefixTree
from hybrid_bridge.core.vrf import public_key
from hybrid_bridge.errors import AdmissionRejected, KeyUnusable, RootMismatch, StoreBroken
from hybrid_bridge.node.applying import write_new
from hybrid_bridge.node.cards import Card, parse_card
from hybrid_bridge.node.directory import Directory, read_directory
from hybrid_bridge.node.engine_homes import EngineAddress, home
from hybrid_bridge.node.enrolling import OWN_CARD
from hybrid_bridge.node.laying import GUARD, make_stores
from hybrid_bridge.node.log_keys import taken
from hybrid_bridge.node.logbook import split_pairs
from hybrid_bridge.node.proposals import VRF, Proposal, ProposalStore
from hybrid_bridge.node.rekeying import rewrite_secrets
from hybrid_bridge.node.settings import ENGINE_HOME, LOG_KEYS, NodeSettings, read_secret, read_settings
from hybrid_bridge.units import Address

PART: Final = "join.part"


def join(folder: Path, proposal: Proposal) -> None:
    """Take the proposal that admits us; again is no change, and one that died goes on.

    Raises:
        AdmissionRejected: it does not admit this folder's card.
        EnvelopeUnopenable, KeyUnusable, RootMismatch: what was handed to us is not what the genesis record names.
        StoreBroken: we have joined, and a store that was made then is not there: none is ever made again.
    """
    settings, directory = read_settings(folder), read_directory(folder)
    card = parse_card((folder / OWN_CARD).read_bytes()) if (folder / OWN_CARD).exists() else None
    if card is None or card not in proposal.cards or proposal.log_id != directory.log_id:
        raise AdmissionRejected(rule="a proposal that admits the card of this folder")
    genesis = directory.genesis
    seed = proposal.secret_for(card.member, read_secret(settings, "sealing"), VRF, genesis.vrf_public_key)
    if seed is None or public_key(seed) != genesis.vrf_public_key:
        raise KeyUnusable(key="vrf", rule="the one that the genesis record names")
    pairs = split_pairs(proposal.registry or b"")
    _require_registry(genesis, pairs)
    log_keys = taken(proposal, card.member, read_secret(settings, "sealing"), directory)
    part, key = replace(settings, folder=folder / PART), folder / "keys" / "vrf.key"
    shutil.rmtree(part.folder, ignore_errors=True)
    _make(part, settings, directory, card, pairs)
    if key.exists():
        _require_there(part.folder, folder)
        if not settings.secrets.keys() & {*LOG_KEYS}:  # who was a member before is handed them when it comes again
            _keep_log_keys(settings, log_keys)
    else:
        _put_in_place(part.folder, folder)
        ProposalStore(folder).keep(proposal)
        _keep_log_keys(settings, log_keys)
        write_whole(key, seed.hex().encode() + b"\n", 0o600)  # Durable last: dead before, and join is said again.
    shutil.rmtree(part.folder)


def _keep_log_keys(settings: NodeSettings, seeds: Mapping[str, bytes]) -> None:
    """Each in a file of its own; the settings name them when all are there."""
    paths = {name: settings.folder / "keys" / f"{name}.key" for name in seeds}
    for name, path in paths.items():
        write_whole(path, seeds[name].hex().encode() + b"\n", 0o600)
    if not paths.keys() <= settings.secrets.keys():
        rewrite_secrets(settings, {**settings.secrets, **paths})


def _make(part: NodeSettings, settings: NodeSettings, directory: Directory, card: Card, pairs: Sequence[Pair]) -> None:
    """Everything that is ours from then on, below a folder apart."""
    part.folder.mkdir(mode=0o700)
    make_stores(part, directory, pairs)
    if card.member.address is not None:
        guard = SqlGuard(part.path(GUARD))
        guard.create(directory.log_id, Address(card.member.address))
        guard.close()
    if directory.engine is not None and card.member.engine is not None:
        at = EngineAddress(card.member.engine.partition("@")[2], settings.engine_rpc)
        files = home(directory.engine.chain_id, directory.genesis, directory.members, directory.engines, at)
        for name, (data, is_secret) in files.items():
            write_new(part.path(name), data, 0o600 if is_secret else 0o644)


def _files(part: Path) -> list[Path]:
    """What was made, but for the stores' locks."""
    return sorted(path.relative_to(part) for path in part.rglob("*") if path.is_file() and path.suffix != ".lock")


def _put_in_place(part: Path, folder: Path) -> None:
    """Each file that is not there yet; one that is was put there whole, by a join that died."""
    for name in _files(part):
        if not (folder / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            (part / name).replace(folder / name)
            sync_path((folder / name).parent)
    if (folder / ENGINE_HOME).exists():
        (folder / ENGINE_HOME).chmod(0o700)  # the engine keeps every block there, readable by all


def _require_there(part: Path, folder: Path) -> None:
    if lost := [name for name in _files(part) if not (folder / name).exists()]:
        raise StoreBroken(store=lost[0].name, rule="made once, and there ever since")


def _require_registry(genesis: Genesis, pairs: Sequence[Pair]) -> None:
    root = PrefixTree().insert(pairs).root
    if root != genesis.registry_root:
        raise RootMismatch(expected=genesis.registry_root, calculated=root)
