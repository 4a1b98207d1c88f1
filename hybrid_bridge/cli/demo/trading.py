"""Act 3: the supplier's receivables go through the ledger: drafted, authorised and sent, each at its owner's node."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from hybrid_bridge.adapters.grpc_member.desk import GrpcDesk
from hybrid_bridge.business.ruling import refusal_code
from hybrid_bridge.cli.demo.cast import KeyPlace, audience_of, events, expectations, place_of
from hybrid_bridge.cli.demo.founding import Play
from hybrid_bridge.cli.demo.telling import counted, fen_text
from hybrid_bridge.core.encoding import Json, b64u, canonical_json
from hybrid_bridge.core.epoch import epoch_of
from hybrid_bridge.core.labels import normalised
from hybrid_bridge.errors import Expired, FieldMismatch, RuleRejected
from hybrid_bridge.node.executing import rules_of
from hybrid_bridge.rpc.channel import ClientTls
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.testing.datasets.play import Event, rebase
from hybrid_bridge.testing.datasets.story import ZONE
from hybrid_bridge.units import Digest, EpochNumber, UnixSeconds

T = TypeVar("T")

SECOND_BANK: Final = "rejected:I5"  # kept for act 5: the other bank reserves what is financed already
TRIES: Final = 10  # of an event whose members are restarting
LEFT_OUT: Final = ("party_cert",)  # certifies the data set's own keys; here each node made fresh ones
STEPS: Final = (  # of a receivable's life, as the story counts them
    ("asset.register/1", "invoice registered", "invoices registered"),
    ("asset.confirm/1", "confirmed by the debtor", "confirmed by the debtor"),
    ("note.issue/1", "note issued", "notes issued"),
    ("note.split/1", "split", "splits"),
    ("fin.reserve/1", "reserved by a bank", "reserved by a bank"),
    ("fin.finance/1", "financed", "financed"),
)


@dataclass(slots=True)
class Traded:
    """What stands in the ledger, by event number, and the desks it went through."""

    desks: dict[str, GrpcDesk]
    entry_leaves: dict[int, Digest] = field(default_factory=dict)
    key_ids: dict[str, str] = field(default_factory=dict)
    told: dict[int, Event] = field(default_factory=dict)  # as sent, with the dates of today
    refused: int = 0

    def entry_leaf(self, found: Event) -> Digest:
        """Of an event that was accepted."""
        return self.entry_leaves[found["event"]]


def trade(play: Play) -> Traded:
    """All events of the data set; honest ones must be accepted, its frauds refused by the rule it names."""
    play.narrator.chapter("The supplier's receivables: confirmed, issued as notes, split, financed")
    traded = Traded(_open_desks(play))
    for desk in traded.desks.values():
        play.stage.until(f"{desk.name} to answer", partial(_has_begun, desk))
    expected = expectations(play.files)
    coming = [event for event in events(play.files) if expected.get(event["event"], ("", ""))[0] != SECOND_BANK]
    with play.narrator.counting("transactions", len(coming)) as bar:
        for event in coming:
            verdict, note = expected.get(event["event"], ("accepted", ""))
            bar.step(event["schema"])
            decide(play, traded, event, verdict)
            if verdict != "accepted":
                traded.refused += 1
                rule = verdict.removeprefix("rejected:")
                play.narrator.caught(
                    f"{note}: refused by every member's own ledger, rule {rule}; the refusal is on record"
                )
    _tell(play, traded)
    return traded


def _open_desks(play: Play) -> dict[str, GrpcDesk]:
    """Each member's own people, with the owner's certificate."""
    desks = {}
    for node, endpoint in play.endpoints.items():
        owner = play.consortium / "nodes" / node / "owner"
        tls = ClientTls(*((owner / name).read_bytes() for name in ("ca.pem", "tls.pem", "tls.key")))
        desks[node] = GrpcDesk.at(node, endpoint, tls)
    return desks


def _has_begun(desk: GrpcDesk) -> bool | None:
    return True if desk.status().final_height >= 1 else None


def _tell(play: Play, traded: Traded) -> None:
    told = [traded.told[number] for number in traded.entry_leaves]
    schemas = Counter(event["schema"] for event in told)
    life = ", ".join(counted(schemas[schema], one, many) for schema, one, many in STEPS if schemas[schema])
    faces = sum(int(event["fields"]["face"]) for event in told if event["schema"] == "note.issue/1")
    advances = sum(int(event["fields"]["advance"]) for event in told if event["schema"] == "fin.finance/1")
    play.narrator.good(
        f"{counted(len(told), 'transaction')} stand, each executed again and countersigned by every validator: {life}"
    )
    play.narrator.good(
        f"notes of {fen_text(faces)} were issued, {fen_text(advances)} advanced on them; documents and private fields "
        "went sealed from member to member, the public chain sees one hash an epoch"
    )


# ── one transaction ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the ledger made of an event."""

    code: int  # SPEC §5: 0 accepted
    rule: str = ""  # that refused it; empty also when the answer got lost and only the record tells


def require_outcome(event: Event, verdict: str, got: Outcome) -> None:
    """The data set says `accepted`, or `rejected:` and the rule.

    Raises:
        FieldMismatch: the ledger decided otherwise.
    """
    rule = verdict.partition(":")[2]
    if got.code != (refusal_code(rule) if rule else 0) or got.rule not in ("", rule):
        raise FieldMismatch(field=f"event {event['event']} ({event['schema']})", expected=verdict, got=str(got))


def decide(play: Play, traded: Traded, event: Event, verdict: str) -> None:
    """Carry out one event whose end the data set tells.

    Members that were away for some epochs leave a draft, or the labels read for it, too old: its owner starts anew.

    Raises:
        FieldMismatch: the ledger decided otherwise.
        Expired: the members were away each time.
    """
    tries = 0
    while True:
        tries, begin = tries + 1, time.monotonic()
        try:
            require_outcome(event, verdict, carry_out(play, traded, event))
        except (Expired, FieldMismatch) as error:
            waited = time.monotonic() - begin
            is_old = isinstance(error, Expired) or (
                "check_epoch" in event["fields"] and waited >= play.directory.genesis.cadence
            )
            if not is_old or tries == TRIES:
                raise
        else:
            return


def carry_out(play: Play, traded: Traded, event: Event) -> Outcome:
    """Draft, authorise and send one event."""
    now = UnixSeconds(int(time.time()))
    over = EpochNumber(max(0, epoch_of(play.directory.genesis, now) - 1))  # also by the clock of blocks, which is later
    moved = rebase(event, now, over, ZONE)
    if "ttl_epochs" in moved["fields"]:  # told for epochs of hours; of seconds the bank takes as many as it may
        moved["fields"]["ttl_epochs"] = rules_of(play.directory).pack.reserve_ttl
    home = place_of(event["submitter"]).node
    draft = ask_again(play, f"{home} to draft", lambda: traded.desks[home].draft(_draft_request(play, traded, moved)))
    signatures = []
    for place in map(place_of, event["authorisers"]):
        if place.node != home:
            answer = ask_again(play, f"{place.node} to authorise", partial(_consent, traded, place, draft.draft))
            signatures += list(answer.signatures)
    try:
        sent = ask_again(play, f"{home} to send", lambda: traded.desks[home].send(draft.draft, signatures))
    except RuleRejected as refusal:
        return Outcome(refusal_code(refusal.rule), refusal.rule)
    if sent.code == 0:
        traded.entry_leaves[event["event"]] = Digest(sent.entry_leaf)
        traded.told[event["event"]] = moved
    return Outcome(sent.code)


def _consent(traded: Traded, place: KeyPlace, draft: bytes) -> pb.AuthoriseResponse:
    return traded.desks[place.node].authorise(draft, [place.purpose])


def ask_again(play: Play, what: str, ask: Callable[[], T | None]) -> T:
    """Ask until it is decided: a node may be restarting. Everything asked this way is idempotent."""
    return play.stage.until(what, ask)


def _draft_request(play: Play, traded: Traded, event: Event) -> pb.DraftRequest:
    home = place_of(event["submitter"]).node
    fields: dict[str, Json] = {
        name: _resolve(play, traded, value) for name, value in event["fields"].items() if name not in LEFT_OUT
    }
    labels: list[Json] = [b64u(normalised(row["type"], *row["parts"]).encode()) for row in event.get("labels", ())]
    places = [place_of(name) for name in event["authorisers"]]
    authorisers = [
        pb.Authoriser(purpose=place.purpose)
        if place.node == home
        else pb.Authoriser(key_id=_key(play, traded, place).key_id)
        for place in places
    ]
    return pb.DraftRequest(
        schema=event["schema"],
        fields=canonical_json(fields),
        authorisers=authorisers,
        labels=canonical_json(labels),
        audience=audience_of(play.files, event),
    )


def _resolve(play: Play, traded: Traded, value: Json) -> Json:
    """`@name` in a field is a key: ask the node that holds it for its id."""
    if not (isinstance(value, str) and value.startswith("@")):
        return value
    name = value[1:]
    if name not in traded.key_ids:
        traded.key_ids[name] = b64u(_key(play, traded, place_of(name)).key_id)
    return traded.key_ids[name]


def _key(play: Play, traded: Traded, place: KeyPlace) -> pb.KeyResponse:
    return ask_again(play, f"{place.node}'s key", lambda: traded.desks[place.node].key(place.purpose))


def find_event(files: Mapping[str, bytes], schema: str, **fields: str) -> Event:
    """The last accepted event of that schema with these fields."""
    expected = expectations(files)
    found = [
        event
        for event in events(files)
        if event["schema"] == schema
        and event["event"] not in expected
        and all(event["fields"].get(name.replace("__", ".")) == value for name, value in fields.items())
    ]
    return found[-1]
