"""Members of a running network who come, go and change keys, by the commands that their people type."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from hybrid_bridge.adapters.evm.calls import anchor_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.cli.bundle import with_anchor
from hybrid_bridge.core.attestation import Checkpoint, all_seals, verify_quorum
from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.checkpoint import parse_note, quorum_signatures
from hybrid_bridge.core.signing import recover_address, sign_digest
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import AdmissionRejected, Expired, SetMismatch, SignerUnknown, Undecided
from hybrid_bridge.node.opening import client_tls
from hybrid_bridge.node.settings import read_settings
from hybrid_bridge.ports import Head, PublicBlock, Update
from hybrid_bridge.rpc.channel import ClientTls
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Address, EcdsaSignature, SetId, TreeSize
from tests.e2e.network import Network, free_endpoint, until
from tests.e2e.public_chain import PublicChain, contract_run, start, typed
from tests.engines import rpc_of

SLOW = 900.0  # seconds; a machine with much to do anchors late
AHEAD = 12  # epochs from a proposal to its effect; doubled where this machine was too slow


def done(*arguments: str) -> str:
    """A command that must succeed."""
    ended = typed(*arguments)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    return ended.stdout


def certified(network: Network, request: Path) -> Path:
    certificate = request.with_suffix(".crt")
    done("consortium", "certify", str(request), "--ca", str(network.root / "ca"), "--out", str(certificate), "--yes")
    return certificate


def newcomer(network: Network, name: str, *engine: str) -> Path:
    """Applies, is certified by the authority, and makes its card. `engine`: options of its consensus engine."""
    folder, endpoint = network.folder(name), free_endpoint()
    who = ("--name", name, "--legal-name", f"{name} Ltd", "--legal-id", f"LEI:{name.upper()}")
    where = ("--public", str(network.root / "public"), "--listen", endpoint, "--out", str(folder))
    done("member", "apply", *who, *where, *engine, "--role", "validator")
    requests = {file: certified(network, folder / file) for file in ("identity.csr", "tls.csr", "owner/tls.csr")}
    card = network.root / f"{name}.card"
    given = ("--certificate", str(requests["identity.csr"]), "--tls", str(requests["tls.csr"]))
    given = (*given, "--owner-tls", str(requests["owner/tls.csr"]))
    done("member", "card", "--dir", str(folder), *given, "--out", str(card))
    network.newcomers[name] = endpoint
    return card


def decided(
    network: Network,
    request: pb.ProposeRequest,
    names: tuple[str, ...],
    *,
    ahead: int = AHEAD,
    patience: float = SLOW,
    at: str = "core",
) -> bytes:
    """Proposed `at` one member, approved by these, enacted; again with more time where an epoch came too soon."""
    desk = network.desk(at)
    while True:
        request.from_epoch = network.status(at).epoch + ahead
        try:
            proposal = until("no set is pending", lambda: desk.propose(request).proposal, patience)
            consents = [network.desk(name).approve(proposal, confirmed=True).consents for name in names]
            until("it stands", lambda: desk.enact(proposal, consents, confirmed=True), patience)  # noqa: B023 called at once
        except (AdmissionRejected, Expired):
            ahead *= 2
            assert ahead < 1000
        else:
            return proposal


def decided_by_hand(
    network: Network, command: tuple[str, ...], names: tuple[str, ...], *, ahead: int, patience: float = SLOW
) -> Path:
    """As `decided`, every step typed by somebody: the proposal's file."""
    folder, core = network.root / "decisions", str(network.folder("core"))
    folder.mkdir(exist_ok=True)
    proposal, consents = folder / f"{command[0]}.json", [folder / f"{name}.consent" for name in names]
    while True:
        start = str(network.status("core").epoch + ahead)
        asked = (*command, "--dir", core, "--from-epoch", start, "--out", str(proposal))
        until("no set is pending", lambda: typed("member", *asked).returncode == 0, patience)  # noqa: B023 called at once
        given = [typed(*approval(network, proposal, name, out)) for name, out in zip(names, consents, strict=True)]
        enact = ("member", "enact", str(proposal), *map(str, consents), "--dir", core, "--yes")
        ended = until("it stands, or does not", lambda: when_decided(typed(*enact)), patience)  # noqa: B023
        if not any(one.returncode for one in (*given, ended)):
            return proposal
        ahead *= 2  # an epoch came too soon
        assert ahead < 1000, ended.stderr


def when_decided(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str] | None:
    """A command that has ended, unless it is to be said again."""
    return None if done.returncode == Undecided.exit_code else done


def approval(network: Network, proposal: Path, name: str, out: Path) -> tuple[str, ...]:
    return ("member", "approve", str(proposal), "--dir", str(network.folder(name)), "--out", str(out), "--yes")


def newest_set(network: Network, name: str = "core") -> pb.SetSummary:
    return network.desk(name).members().sets[-1]


def carried(network: Network, chain: PublicChain, set_id: int, names: tuple[str, ...]) -> None:
    """The ledger's set signed for the contract by these, and posted by the relayer."""
    folder = network.root / "relayer"
    entries, draft = folder / f"set-{set_id}.bin", folder / f"draft-{set_id}.json"
    core = str(network.folder("core"))
    done("member", "set-entries", str(set_id), "--dir", core, "--out", str(entries))
    appointed = next(one for one in network.desk("core").members().sets if one.set_id == set_id)
    log = ("--log", "0x" + network.directory.log_id.hex(), "--entries", str(entries))
    contract_run("draft", "set", *chain.asked, *log, "--from-size", str(appointed.first_size), "--out", str(draft))
    for name in names:
        where = ("--dir", str(network.folder(name)), "--out", str(folder / "rotations"), "--yes")
        until(f"{name} signs", lambda: typed("member", "sign-set", str(draft), *where).returncode == 0, SLOW)  # noqa: B023
    informed(network, set_id, appointed.first_size, entries)
    public = Web3Chain(rpc_of(chain.url), chain.contract)
    log_id = network.directory.log_id
    until(
        f"set {set_id} on the public chain", lambda: public.head(log_id, public.latest()).set_id == set_id or None, SLOW
    )


def anchored_bundle(network: Network, chain: PublicChain, size: int, name: str = "core") -> bytes:
    """A bundle on this size with its anchor, once the public chain holds that for good."""
    asked = pb.BundleRequest(purpose="checkpoint", size=size)

    def made() -> bytes:
        return with_anchor(decode_bundle(network.desk(name).bundle(asked)), chain.url, chain.contract).encode()

    return until(f"an anchor of size {size}", made, SLOW)


def anchored_size(network: Network, chain: PublicChain, least: int) -> int:
    """A size from `least` on that the public chain holds."""
    public = Web3Chain(rpc_of(chain.url), chain.contract)

    def found() -> int | None:
        size = public.head(network.directory.log_id, public.finalized()).tree_size
        return size if size >= least else None

    return until(f"an anchor from size {least} on", found, SLOW)


def refused_everywhere(network: Network, chain: PublicChain, name: str, old: bytes) -> None:
    """A newer checkpoint of its set is taken; with one signature by the key that `name` had before, it is not."""
    network.stop("relayer")
    public, core = Web3Chain(rpc_of(chain.url), chain.contract), network.relayed("core")
    log_id, genesis = network.directory.log_id, network.directory.genesis

    def newer() -> tuple[PublicBlock, Head, int] | None:
        """A public block that may take it, the head in that very one, for the relayer's last anchor may be on its way."""
        size, at = network.status("core").quorum_size, public.latest()
        head = public.head(log_id, at)
        in_time = at.time >= genesis.checkpoint_timestamp(TreeSize(size))
        return (at, head, size) if in_time and size > head.tree_size else None

    at, head, size = until("a newer size", newer, SLOW)
    row = [one for one in network.desk("core").members().sets if one.first_size <= size][-1]
    note = parse_note(core.checkpoint(TreeSize(size)).note)
    validators = ValidatorSet.decode_entries(SetId(row.set_id), row.entries)
    checkpoint = Checkpoint(
        log_id=log_id,
        tree_size=note.size,
        root=note.root,
        timestamp=genesis.checkpoint_timestamp(note.size),
        set_id=validators.set_id,
        set_hash=validators.digest,
    )
    place = validators.addresses[list(row.names).index(name)]
    honest = quorum_signatures(note, validators, log_id, checkpoint.timestamp)
    signed = {recover_address(checkpoint.digest(), signature): signature for signature in honest}
    others = [address for address in signed if address != place][: validators.quorum - 1]
    forged = {address: signed[address] for address in others} | {place: sign_digest(old, checkpoint.digest())}
    verify_quorum(checkpoint, validators, honest)
    with pytest.raises(SignerUnknown):
        verify_quorum(checkpoint, validators, list(forged.values()))
    path = tuple(core.consistency_path(head.tree_size, note.size))

    def update(signatures: Mapping[Address, EcdsaSignature]) -> bytes:
        bits, packed = all_seals(validators, signatures)
        made = Update(
            log_id=log_id,
            from_size=head.tree_size,
            tree_size=note.size,
            root=note.root,
            set_hash=validators.digest,
            signers=bits,
            path=path,
            seals=packed,
        )
        return anchor_calldata(made)

    assert public.simulate(Address(b"\x11" * 20), update(signed), at) > 0
    with pytest.raises(SetMismatch):  # it finds the set by whom the signatures recover to
        public.simulate(Address(b"\x11" * 20), update(forged), at)


def member_tls(network: Network, name: str) -> ClientTls:
    """What the node itself shows to others."""
    return client_tls(read_settings(network.folder(name)))


def informed(network: Network, set_id: int, first_size: int, entries: Path) -> None:
    """The relayer's operator adds the set and whoever is new, and starts it again."""
    settings = network.root / "relayer" / "relayer.toml"
    text = settings.read_text("utf-8")
    if "set_updates" not in text:
        text = text.replace("[[chain]]\n", '[[chain]]\nset_updates = "rotations"\n')
    text = text.replace(" }]\n", f' }}, {{ id = {set_id}, from_size = {first_size}, entries = "{entries}" }}]\n')
    for name, endpoint in network.newcomers.items():
        if f"\n{name} = " not in text:
            text = text.replace("[log.members]\n", f'[log.members]\n{name} = "{endpoint}"\n')
    settings.write_text(text)
    network.stop("relayer")
    start(network, "relayer", "relayers", "run", "-c", str(settings))
