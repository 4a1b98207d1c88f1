"""Members who come, go and change keys, in one process: newcomers' folders, proposals, consents, and whole epochs."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from hybrid_bridge.adapters.pki import Authority, certify
from hybrid_bridge.adapters.sqlite.epochs import SizedSignature
from hybrid_bridge.adapters.sqlite.ledger import StoredBlock
from hybrid_bridge.core.block import Countersignature
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.node.applying import Application, apply, keep_card, make_card
from hybrid_bridge.node.attesting import Attester
from hybrid_bridge.node.cards import Card
from hybrid_bridge.node.closing import Closer
from hybrid_bridge.node.desk import Desk
from hybrid_bridge.node.endorsing import Endorser
from hybrid_bridge.node.engine_homes import EngineAddress
from hybrid_bridge.node.joining import join
from hybrid_bridge.node.logbook import split_pairs
from hybrid_bridge.node.proposals import Consents, Proposal
from hybrid_bridge.node.proposing import Proposer, Wish
from hybrid_bridge.node.witnessing import Watch
from hybrid_bridge.steps.batch import ClosingKeys
from hybrid_bridge.units import EpochNumber, TreeSize
from tests.unit.hybrid_bridge.node.members import CADENCE, NAMES, START, VALIDATORS, Members, randomness
from tests.unit.hybrid_bridge.node.trade import Instant


def authority(members: Members) -> Authority:
    folder = members.root / "ca"
    return Authority((folder / "ca.pem").read_bytes(), (folder / "ca.key").read_bytes())


def newcomer(
    members: Members, name: str = "bank-c", *roles: str, engine: EngineAddress | None = None
) -> tuple[Path, Card]:
    """A folder with keys, and its card, certified by the consortium's authority."""
    folder = members.folder(name)
    application = Application(
        name=name,
        legal_name=f"{name} Ltd",
        legal_id=f"LEI:{name.upper()}",
        roles=roles or ("validator",),
        endpoint="127.0.0.1:7000",
        engine=engine,
    )
    apply(members.root / "public", folder, application, randomness(name))
    certificate = certify(authority(members), (folder / "identity.csr").read_bytes(), members.clock.now())
    card = make_card(folder, certificate)
    keep_card(folder, card)
    return folder, card


def proposer(members: Members, name: str) -> Proposer:
    opened = members.open(name)
    return Proposer(opened.view, Desk(opened.view, Instant(members)), opened.enrolment, endorser(members, name))


def endorser(members: Members, name: str) -> Endorser:
    opened = members.open(name)
    return Endorser(opened.view, opened.guards, opened.enrolment.store)


def approved(members: Members, proposal: Proposal, names: Iterable[str] = VALIDATORS) -> list[Consents]:
    return [proposer(members, name).approve(proposal) for name in names]


def agreed(
    members: Members, wish: Wish, names: Sequence[str] = VALIDATORS, everybody: Sequence[str] = NAMES
) -> Proposal:
    """Proposed, approved and enacted at core; every member executes it and has the proposal."""
    proposal = proposer(members, "core").propose(wish)
    proposer(members, "core").enact(proposal, approved(members, proposal, names))
    spread(members, everybody)
    for name in everybody:
        enrolment = members.open(name).enrolment
        if lacking := enrolment.lacking():
            enrolment.take(lacking[0], proposal, "core")
    return proposal


def spread(members: Members, names: Sequence[str] = NAMES) -> None:
    """These execute what core has ordered, and hear one another's words."""
    core = members.open("core").view
    for name in names:
        view = members.open(name).view
        while name != "core" and (stored := core.ledger.blocks(view.chain.next_height)):
            for block in stored:
                members.clock.moment = max(members.clock.moment, START)
                view.chain.accept(StoredBlock(block.data, block.sealed), view.keys.identity)
    views = [members.open(name).view for name in names]
    words = [word for view in views for word in view.witness.of(view.keys.identity.public.key_id, 0)]
    for view in views:
        for word in words:
            view.witness.add(Countersignature.decode(word))
        Watch(view)


def pass_epoch(members: Members, epoch: int, names: Sequence[str] = NAMES) -> None:
    """Epoch `epoch` ends: a block in the next one, closed by all and attested by those whose term it is."""
    members.order(START + epoch * CADENCE)
    spread(members, names)
    for name in names:
        close(members, name, EpochNumber(epoch))
    for name in names:
        opened = members.open(name)
        for key, guard in opened.guards:
            Attester(opened.view.logbook, guard, key, opened.view.brake).sign_all(opened.view.progress)
    core = members.open("core").view
    for name in names:
        view = members.open(name).view
        for address in view.addresses:
            for signed in view.epochs.attested(address, TreeSize(epoch)):
                for other in names:
                    members.open(other).view.logbook.take_attestation(address, signed)
    assert core.keys.log is not None
    core.logbook.sign_lines(core.keys.log, core.keys.log_mldsa)
    for name in names:
        for size, line in core.epochs.lines(TreeSize(epoch)):
            members.open(name).view.logbook.take_line(size, line)


def close(members: Members, name: str, epoch: EpochNumber) -> None:
    """With the set's secret where it is held; else as core has it."""
    view = members.open(name).view
    closer = Closer(view.ledger, view.logbook, view.directory, view.progress)
    secret = view.keys.secret_of(closer.next_term().validators.set_id)
    if secret is not None:
        closer.close_next(ClosingKeys(secret=secret, vrf_seed=view.keys.vrf))
        return
    row = members.open("core").view.logbook.closed(epoch)
    registry = view.logbook.registry(EpochNumber(epoch - 1)).insert(split_pairs(row.pairs))
    view.logbook.append(row, registry)


def joined(members: Members, folder: Path, proposal: Proposal) -> str:
    """The newcomer makes its stores and catches up with what core has closed."""
    join(folder, proposal)
    name = folder.name
    spread(members, [*NAMES, name])
    core, view = members.open("core").view, members.open(name).view
    for epoch in range(1, core.logbook.size):
        close(members, name, EpochNumber(epoch))
    for size, line in core.epochs.lines(TreeSize(0)):
        view.logbook.take_line(size, line)
        for address, signature in core.epochs.signatures(size, core.logbook.root(size)).items():
            view.logbook.take_attestation(address, SizedSignature(size, core.logbook.root(size), signature))
    return name


def leaves(proposal: Proposal) -> list[bytes]:
    return [leaf_hash(record) for record in proposal.records]
