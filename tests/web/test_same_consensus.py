"""Of consensus evidence Python and JavaScript say the same: of real engines', and of sets that followed others."""

import json
import random
from collections.abc import Callable
from typing import Any

from hybrid_bridge.errors import BridgeError
from hybrid_bridge.steps.verify.source import verify_source
from tests.unit.hybrid_bridge.steps.verify.test_source import (
    BUNDLE,
    DATA,
    FOLDER,
    FOURTH,
    NEW,
    NOW,
    OLD,
    REFUTED,
    RULED,
    Scene,
    changed,
    handed_over,
    log_set,
    scene,
    short_scene,
    still_the_first,
)
from tests.web.node import run
from tests.web.test_same_verdict import CHANGES, Asked, compare

TRUST = (FOLDER / "trust.json").read_bytes()


def test_of_what_real_engines_decided_they_say_the_same() -> None:
    (whole,) = compare([Asked("ordered", DATA, TRUST, NOW)])
    assert {verdict["name"]: verdict["result"] for verdict in whole["verdicts"]}["level"] == "A3"
    bare = changed("executions.0.outcome", lambda _: None).encode()
    broken = [changed(place, change).encode() for place, change, _ in REFUTED.values()]
    compare([Asked(str(number), data, TRUST, NOW) for number, data in enumerate([bare, *broken])])


def test_of_evidence_with_one_bit_changed_they_say_the_same() -> None:
    (part,) = BUNDLE.source_evidence
    draw = random.Random("evidence, one bit")
    begin = DATA.index(b'"source_evidence"')
    length = len(part.data) * 4 // 3
    flip = tuple((begin + draw.randrange(length), draw.randrange(7)) for _ in range(CHANGES))
    compare([Asked("ordered", DATA, TRUST, NOW, flip=flip)])


SCENES: dict[str, Callable[[], Scene]] = {
    "a later set": lambda: scene(OLD, NEW),
    "a certificate is not shown": lambda: scene(OLD, NEW, unknown=(5,)),
    "nor one of a signer": lambda: scene(OLD, NEW, unknown=(4,)),
    "the first set alone": lambda: scene(OLD, **still_the_first()),
    "an old set goes on": lambda: scene(OLD, NEW, **still_the_first()),
    "an old set goes on, and who follows is not shown": lambda: scene(OLD, NEW, unknown=(5,), **still_the_first()),
    "an old set goes on, and whose its keys are is not shown": lambda: scene(
        OLD, NEW, **still_the_first() | {"bindings": None}
    ),
    "the log never changed its set": lambda: scene(OLD),
    "the log took in another": lambda: scene(OLD, log_set(2, 2, 2, 3, 4, 6)),
    "too early": lambda: scene(OLD, log_set(2, 3, 2, 3, 4, 5)),
    "the log began with others": lambda: scene(log_set(1, 1, 1, 2, 3, 6), NEW),
    "a set skipped": lambda: scene(OLD, NEW, log_set(3, 2, 1, 2, 3, 4)),
    **{f"two blocks behind {n}, retired": lambda n=n: short_scene(n, OLD, RULED) for n in (None, 0, 1, 2, 3)},
    "two blocks, of the set before": lambda: short_scene(2, OLD, log_set(2, FOURTH + 1, 2, 3, 4, 5)),
    "two blocks, handed over": lambda: short_scene(2, OLD, RULED, changes=handed_over()),
    "two blocks, and no other set": lambda: short_scene(None, OLD),
}


def as_told(of: Scene) -> dict[str, Any]:
    shown, known, names = of
    return {
        "genesis": shown.genesis.encode().hex(),
        "epochs": [
            {
                "record": epoch.record.encode().hex(),
                "transactions": [entry.part.transaction.hex() for entry in epoch.entries],
            }
            for epoch in shown.epochs
        ],
        "sources": [[epoch, evidence.encode().hex()] for epoch, evidence in shown.sources.items()],
        "sets": [
            {
                "firstSize": one.first_size,
                "setId": one.validators.set_id,
                "addresses": [address.hex() for address in one.validators.addresses],
            }
            for one in known.sets
        ],
        "names": [
            [set_id, address.hex(), name.key and name.key.hex(), name.text] for (set_id, address), name in names.items()
        ],
    }


def in_python(of: Scene) -> dict[str, Any]:
    try:
        found = verify_source(*of)
    except BridgeError as error:
        return {"error": type(error).__name__, **{name: getattr(error, name) for name in ("field", "expected", "got")}}
    blocks = [{"epoch": one.epoch, "height": one.height, "signers": list(one.signers)} for one in found.blocks]
    return {"level": found.level, "wanting": found.wanting, "blocks": blocks}


def test_of_sets_that_followed_others_they_say_the_same() -> None:
    scenes = {name: make() for name, make in SCENES.items()}
    said = run("verify_source.mjs", text=json.dumps([as_told(of) for of in scenes.values()]))
    expected = {name: in_python(of) for name, of in scenes.items()}
    assert dict(zip(scenes, said, strict=True)) == expected
    assert {one.get("wanting", one.get("error")) for one in expected.values()} >= {"", "FieldMismatch"}
