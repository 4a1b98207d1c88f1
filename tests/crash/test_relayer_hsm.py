"""A relayer whose gas key is in a real HSM, where no two signatures are alike: what the journal holds is what is sent.

RELAYER §5.2, §7 cases 2, 3 and 32.
"""

import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from hybrid_bridge.custody.places import parse_place
from hybrid_bridge.custody.signers import GasKey, open_gas_key
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.testing.crashing import CrashPlan
from hybrid_bridge.testing.memory_members import address, key
from hybrid_bridge.units import ChainId, RawTransaction
from tests.crash.relay_world import Operator, World, run, settle
from tests.crash.test_relayer_crashes import require_one_anchor_each
from tests.engines import SoftHsm, softhsm

pytestmark = pytest.mark.engine
NAME = "operator 0"


@pytest.fixture(scope="module")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    with softhsm(tmp_path_factory.mktemp("hsm"), "relayer") as found:
        found.bring_key("relayer", "gas", key(NAME))
        yield found


@pytest.fixture(scope="module")
def gas_key(hsm: SoftHsm, tmp_path_factory: pytest.TempPathFactory) -> GasKey:
    pin = tmp_path_factory.mktemp("pin") / "pin"
    pin.touch(mode=0o600)
    pin.write_text(SoftHsm.PIN)
    text = f"pkcs11:token=relayer;object=gas?module-path={hsm.module}&pin-source=file:{pin}"
    return open_gas_key(parse_place(text, Path("/"), "chain.signer"), "chain.signer", address(NAME))


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / f"journal-{number}.db" for number in count())


class Counting:
    """Remembers what the HSM made."""

    def __init__(self, gas_key: GasKey) -> None:
        self._gas_key = gas_key
        self.made: list[RawTransaction] = []

    def address(self) -> bytes:
        return self._gas_key.address()

    def sign(self, asked: UnsignedTransaction) -> RawTransaction:
        self.made.append(self._gas_key.sign(asked))
        return self.made[-1]


def operator_with(gas_key: GasKey, path: Path, plan: CrashPlan) -> tuple[Operator, Counting]:
    operator = Operator(World(), path, plan=plan)
    signer = Counting(gas_key)
    operator.signer = signer  # type: ignore[assignment] # a real key in place of one in memory
    operator.world.network.mine()
    operator.world.consortium.close_epoch()
    return operator, signer


def effects(gas_key: GasKey, path: Path) -> list[str]:
    """Of one anchor without a crash, in order."""
    operator, _ = operator_with(gas_key, path, CrashPlan({}))
    operator.tick()
    operator.close()
    return operator.plan.seen


def test_one_request_is_two_signatures_when_it_is_made_twice(gas_key: GasKey, paths: Iterator[Path]) -> None:
    """Why all this is needed: signing again is never the same transaction."""
    operator, signer = operator_with(gas_key, next(paths), CrashPlan({}))
    operator.tick()
    assert operator.journal is not None
    (attempt,) = operator.journal.dump().attempts
    assert signer.made == [attempt.raw]
    operator.close()


@pytest.mark.parametrize(
    ("effect", "when"),
    [("add_attempt", "after"), ("broadcast", "before"), ("broadcast", "after"), ("log_sends", "before")],
)
def test_dead_with_journalled_bytes_those_bytes_are_sent_and_nothing_is_signed_again(
    gas_key: GasKey, paths: Iterator[Path], effect: str, when: str
) -> None:
    """Case 3, with a key that never signs twice alike."""
    number = effects(gas_key, next(paths)).index(effect)
    operator, signer = operator_with(gas_key, next(paths), CrashPlan({number: when}))
    operator.tick()
    assert operator.deaths == 1
    for _ in range(3):  # nothing is mined: the same bytes again and again
        operator.tick()
    assert len(signer.made) == 1
    assert set(operator.world.network.received) == set(signer.made)
    settle([operator])
    require_one_anchor_each(operator)


def test_dead_between_signature_and_journal_the_first_signature_is_never_sent(
    gas_key: GasKey, paths: Iterator[Path]
) -> None:
    """Case 2."""
    number = effects(gas_key, next(paths)).index("sign")
    operator, signer = operator_with(gas_key, next(paths), CrashPlan({number: "after"}))
    run([operator], 2)
    settle([operator])
    first, second = signer.made
    assert first != second
    assert set(operator.world.network.received) == {second}
    require_one_anchor_each(operator)


def test_two_chains_of_one_process_sign_with_one_token_at_once(hsm: SoftHsm, tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.touch(mode=0o600)
    pin.write_text(SoftHsm.PIN)
    place = parse_place(
        f"pkcs11:token=relayer;object=gas?module-path={hsm.module}&pin-source=file:{pin}", Path("/"), "chain.signer"
    )
    keys = [open_gas_key(place, "chain.signer", address(NAME)) for _ in range(2)]
    made: list[RawTransaction] = []

    def sign(gas_key: GasKey, chain_id: ChainId) -> None:
        for nonce in range(40):
            asked = UnsignedTransaction(
                chain_id=chain_id, nonce=nonce, to=bytes(20), value=0, data=b"", gas=21_000, max_fee=2, tip=1
            )
            made.append(gas_key.sign(asked))

    threads = [threading.Thread(target=sign, args=(gas_key, n)) for n, gas_key in enumerate(keys, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 80
