"""Act 2: the supplier's receivables go through the ledger: drafted, authorised and sent, each at its owner's node."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from hybrid_bridge.adapters.grpc_member.desk import GrpcDesk
from hybrid_bridge.cli.demo.cast import KeyPlace, audience_of, events, expectations, place_of
from hybrid_bridge.cli.demo.opening import Play
from hybrid_bridge.core.encoding import Json, b64u, canonical_json
from hybrid_bridge.core.epoch import epoch_of
from hybrid_bridge.core.labels import normalised
from hybrid_bridge.errors import FieldMismatch, RuleRejected
from hybrid_bridge.rpc.channel import ClientTls
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.testing.datasets.play import Event, rebase
from hybrid_bridge.testing.datasets.story import ZONE
from hybrid_bridge.units import Digest, UnixSeconds

T = TypeVar("T")

SECOND_BANK: Final = "rejected:I5"  # kept for act 4: the other bank reserves what is financed already
LEFT_OUT: Final = ("party_cert",)  # certifies the data set's own keys; here each node made fresh ones
FINANCED_BY: Final = "bank-a"  # also gets what backs the notes it finances


@dataclass(slots=True)
class Traded:
    """What stands in the ledger, by event number, and the desks it went through."""

    desks: dict[str, GrpcDesk]
    entry_leaves: dict[int, Digest] = field(default_factory=dict)
    key_ids: dict[str, str] = field(default_factory=dict)
    last_epoch: int = 0
    refused: int = 0

    def entry_leaf(self, found: Event) -> Digest:
        """Of an event that was accepted."""
        return self.entry_leaves[found["event"]]


def open_desks(play: Play) -> dict[str, GrpcDesk]:
    """Each member's own people, with the owner's certificate."""
    desks = {}
    for node, endpoint in play.endpoints.items():
        owner = play.consortium / "nodes" / node / "owner"
        tls = ClientTls(*((owner / name).read_bytes() for name in ("ca.pem", "tls.pem", "tls.key")))
        desks[node] = GrpcDesk.at(node, endpoint, tls)
    return desks


def trade(play: Play) -> Traded:
    """All events of the data set; honest ones must be accepted, its frauds refused by the rule it names."""
    play.narrator.chapter(2, "The supplier's receivables: invoices confirmed, notes issued, split and financed")
    traded = Traded(open_desks(play))
    for desk in traded.desks.values():
        play.stage.until(f"{desk.name} to answer", partial(_has_begun, desk))
    expected = expectations(play.files)
    told = [event for event in events(play.files) if expected.get(event["event"], ("", ""))[0] != SECOND_BANK]
    with play.narrator.counting("transactions sent, each executed again by every member", len(told)) as bar:
        for event in told:
            verdict, note = expected.get(event["event"], ("accepted", ""))
            got = carry_out(play, traded, event)
            if got != verdict:
                raise FieldMismatch(field=f"event {event['event']} ({event['schema']})", expected=verdict, got=got)
            if verdict != "accepted":
                traded.refused += 1
                play.narrator.caught(f"{note}: refused on the record, rule {verdict.removeprefix('rejected:')}")
            bar.step(event["schema"])
    return traded


def _has_begun(desk: GrpcDesk) -> bool | None:
    return True if desk.status().final_height >= 1 else None


def carry_out(play: Play, traded: Traded, event: Event) -> str:
    """Draft, authorise and send one event. `accepted`, or `rejected:` and the rule."""
    now = UnixSeconds(int(time.time()))
    moved = rebase(event, now, epoch_of(play.directory.genesis, now), ZONE)
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
        return f"rejected:{refusal.rule}"
    if sent.code != 0:
        return f"rejected:code {sent.code}"
    traded.entry_leaves[event["event"]] = Digest(sent.entry_leaf)
    return "accepted"


def _consent(traded: Traded, place: KeyPlace, draft: bytes) -> pb.AuthoriseResponse:
    return traded.desks[place.node].authorise(draft, [place.purpose])


def ask_again(play: Play, what: str, ask: Callable[[], T]) -> T:
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
    audience = sorted({*audience_of(event), FINANCED_BY} - {home}) if _backs_notes(event) else audience_of(event)
    return pb.DraftRequest(
        schema=event["schema"],
        fields=canonical_json(fields),
        authorisers=authorisers,
        labels=canonical_json(labels),
        audience=audience,
    )


def _backs_notes(event: Event) -> bool:
    return event["schema"] in ("asset.register/1", "asset.confirm/1", "note.issue/1")


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
