"""What several endpoints agree on: a minority can neither make a public block real nor a head newer."""

from dataclasses import dataclass, field

import pytest

from hybrid_bridge.adapters.evm import sight
from hybrid_bridge.adapters.evm.sight import Wanted, look_all
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.errors import (
    AnswerMalformed,
    BridgeError,
    EndpointRefused,
    FieldMalformed,
    Missing,
    NotYet,
    SettingsMalformed,
    StateForgotten,
    Unreachable,
)
from hybrid_bridge.ports import Head, PublicBlock
from hybrid_bridge.units import Address, LogId

CONTRACT, OTHER = Address(b"\xc0" * 20), Address(b"\xbb" * 20)
LOG = LogId(b"\x11" * 32)


def digest(number: int, history: str = "real") -> bytes:
    return f"{history} {number}".encode().rjust(32)


def head_of(size: int) -> Head:
    return Head(
        tree_size=size,
        root=bytes(32),
        timestamp=0,
        anchored_at=0,
        set_id=1,
        next_from_size=0,
        paused_until=0,
        state="active",
    )


@dataclass
class Endpoint:
    """What one endpoint says."""

    chain: int = 1
    first_chain: int | None = None  # what it says when it is asked for the first time
    final: int = 100
    newest: int = 120
    history: str = "real"
    size: int = 7
    forgets: bool = False
    fails: tuple = ()  # the calls that end in an error
    error: BridgeError = field(default_factory=lambda: Unreachable(endpoint="x", call="x"))
    code: bytes = b"code"
    asked: list = field(default_factory=list)


class Chain:
    """The adapter of one endpoint."""

    def __init__(self, endpoint, contract):
        self.says, self.contract = endpoint, contract

    def failing(self, call):
        if call in self.says.fails:
            raise self.says.error

    def code_hash(self, at):
        self.failing("code_hash")
        return keccak256(self.says.code)

    def chain_id(self):
        self.failing("chain_id")
        said, self.says.first_chain = self.says.first_chain or self.says.chain, None
        return said

    def finalized(self):
        self.failing("finalized")
        return self.block(self.says.final)

    def block(self, number):
        self.failing("block")
        if number > self.says.newest:
            raise NotYet(what="x")
        return PublicBlock(number, digest(number, self.says.history), bytes(32), number)

    def head(self, log, at):
        assert log == LOG
        self.says.asked.append((self.contract, at))
        self.failing("head")
        if not self.says.code:
            raise AnswerMalformed(endpoint="x", call="eth_call", rule="head(bytes32) of the registry")
        if self.says.forgets:
            raise StateForgotten(what="x", endpoint="x")
        return head_of(self.says.size)


@pytest.fixture
def endpoints(monkeypatch):
    """`endpoints(a, b, c)`: their URLs; nothing is connected."""
    known = {}

    monkeypatch.setattr(sight, "JsonRpc", lambda name, url: known[url])
    monkeypatch.setattr(sight, "Web3Chain", Chain)

    def urls(*says):
        known.update({f"u{k}": one for k, one in enumerate(says)})
        return tuple(f"u{k}" for k in range(len(says)))

    return urls


def wanted(*numbers, contract=CONTRACT, **words):
    return Wanted(
        **{"log_id": LOG, "contract": contract, "contracts": {}, "thresholds": {}, "numbers": numbers, **words}
    )


def test_one_endpoint_is_believed_and_named_as_one(endpoints):
    one = Endpoint()
    (seen,) = look_all(endpoints(one), wanted(60, 100, 101))
    assert seen.basis == "one endpoint that calls it final"
    assert seen.finalized_hashes == {60: digest(60), 100: digest(100)}  # 101 is not final: undecided, not wrong
    assert (seen.chain_id, seen.contract, seen.finalized_number, seen.head) == (1, CONTRACT, 100, head_of(7))
    assert [at.number for _, at in one.asked] == [100]


def test_more_than_half_must_agree(endpoints):
    liar = Endpoint(history="forged", size=99, final=10**6, newest=10**6)
    (seen,) = look_all(endpoints(Endpoint(), liar, Endpoint()), wanted(60))
    assert seen.basis == "2 of 3 endpoints that call it final"
    assert seen.finalized_hashes == {60: digest(60)}
    assert (seen.finalized_number, seen.head.tree_size) == (100, 7)


def test_a_minority_can_neither_push_nor_hold_what_is_final(endpoints):
    ahead, behind = Endpoint(final=119), Endpoint(final=3)
    assert look_all(endpoints(Endpoint(), ahead, Endpoint(final=98)), wanted())[0].finalized_number == 100
    assert look_all(endpoints(Endpoint(), behind, Endpoint(final=98)), wanted())[0].finalized_number == 98


def test_half_is_not_enough(endpoints):
    with pytest.raises(Missing) as caught:
        look_all(endpoints(Endpoint(), Endpoint(history="forged")), wanted(60))
    assert caught.value.what == "2 endpoints that agree on public block 100"
    with pytest.raises(Missing) as caught:
        look_all(endpoints(Endpoint(), Endpoint(size=8)), wanted(60))
    assert caught.value.what == "2 endpoints that agree on the log's head"


def test_an_endpoint_that_lags_does_not_know_the_block_yet(endpoints):
    lagging = Endpoint(final=2, newest=50)
    (seen,) = look_all(endpoints(Endpoint(), Endpoint(), lagging), wanted(60))
    assert seen.finalized_hashes == {60: digest(60)}
    (seen,) = look_all(endpoints(Endpoint(), lagging, Endpoint(final=40, newest=50)), wanted(60))
    assert (seen.finalized_number, seen.finalized_hashes) == (40, {})


def test_an_endpoint_that_forgot_the_final_state_is_outvoted_or_named(endpoints):
    ordinary = Endpoint(forgets=True)
    assert look_all(endpoints(ordinary, Endpoint(), Endpoint()), wanted())[0].head == head_of(7)
    for urls, who in (
        (endpoints(Endpoint(), ordinary), "2 endpoints that agree on"),
        (endpoints(ordinary), "an endpoint that tells"),
    ):
        with pytest.raises(Missing) as caught:
            look_all(urls, wanted())
        assert caught.value.what.startswith(f"{who} the log's head; no such answer from endpoint ")


def test_endpoints_of_two_chains_agree_on_nothing(endpoints):
    with pytest.raises(Missing) as caught:
        look_all(endpoints(Endpoint(), Endpoint(chain=2)), wanted())
    assert caught.value.what == "2 endpoints that agree on the chain id"


def test_the_trust_files_threshold_is_kept(endpoints):
    urls = endpoints(Endpoint(), Endpoint(), Endpoint())
    assert look_all(urls, wanted(60, thresholds={1: 3}))[0].basis == "3 of 3 endpoints that call it final"
    assert look_all(urls, wanted(60, thresholds={2: 9}))[0].basis == "2 of 3 endpoints that call it final"
    with pytest.raises(Missing) as caught:
        look_all(urls[:1], wanted(60, thresholds={1: 2}))
    assert caught.value.what == "2 endpoints of chain 1, as the trust file's threshold asks"
    urls = endpoints(Endpoint(), Endpoint(), Endpoint(history="forged"))
    with pytest.raises(Missing):
        look_all(urls, wanted(60, thresholds={1: 3}))


def test_one_endpoint_s_word_about_the_chain_chooses_no_threshold(endpoints):
    forged = {"history": "forged"}
    for liar in (Endpoint(chain=999, **forged), Endpoint(first_chain=999, **forged)):
        with pytest.raises(Missing):
            look_all(endpoints(liar, Endpoint(**forged), Endpoint()), wanted(60, thresholds={1: 3}))
    turncoats = (Endpoint(first_chain=2), Endpoint(first_chain=2))
    with pytest.raises(Missing) as caught:
        look_all(endpoints(*turncoats, Endpoint()), wanted(60, thresholds={1: 3}))
    assert caught.value.what == "endpoints that stay on chain 2"


def test_one_endpoint_cannot_agree_with_itself(endpoints):
    urls = endpoints(Endpoint())
    with pytest.raises(FieldMalformed) as caught:
        look_all(urls * 2, wanted())
    assert caught.value.field == "--rpc"


def test_contracts_come_from_the_command_or_from_the_trust_file(endpoints):
    urls = endpoints(Endpoint())
    assert [s.contract for s in look_all(urls, wanted(contract=OTHER, contracts={1: (CONTRACT,)}))] == [OTHER]
    assert [s.contract for s in look_all(urls, wanted(contract=None, contracts={1: (CONTRACT, OTHER)}))] == [
        CONTRACT,
        OTHER,
    ]
    with pytest.raises(Missing) as caught:
        look_all(urls, wanted(contract=None, contracts={2: (CONTRACT,)}))
    assert caught.value.what == "--contract, or a trust file that names a contract on chain 1"


# ── endpoints that fail ──

FAILURES = (
    Unreachable(endpoint="x", call="x"),
    AnswerMalformed(endpoint="x", call="x", rule="JSON"),
    EndpointRefused(endpoint="x", call="x", code=-32601, reason="no such method"),
)


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("call", ["chain_id", "finalized", "block", "head"])
def test_one_that_fails_has_no_voice_and_no_veto(endpoints, call, error):
    """More than half must agree: of three, two that do are enough."""
    dead = Endpoint(fails=(call,), error=error)
    (seen,) = look_all(endpoints(dead, Endpoint(), Endpoint()), wanted(60))
    assert (seen.finalized_hashes, seen.head) == ({60: digest(60)}, head_of(7))
    with pytest.raises(Missing) as caught:
        look_all(endpoints(Endpoint(), dead, dead), wanted(60))
    assert caught.value.what.endswith("; no such answer from endpoint 2, endpoint 3")
    with pytest.raises(Missing) as caught:
        look_all(endpoints(dead), wanted(60))
    assert caught.value.what.startswith("an endpoint that tells ")


def test_an_address_without_code_is_the_callers_and_is_named(endpoints):
    bare, forgetful = Endpoint(code=b""), Endpoint(code=b"", fails=("code_hash",))
    for urls in (endpoints(bare), endpoints(bare, Endpoint(), bare)):
        with pytest.raises(SettingsMalformed) as caught:
            look_all(urls, wanted())
        assert caught.value.key == "--contract"
        assert caught.value.rule == f"the address of a contract: there is no code at 0x{CONTRACT.hex()}"
    for urls in (endpoints(bare, Endpoint(), Endpoint(size=9)), endpoints(forgetful)):
        with pytest.raises(Missing):  # a minority does not say what stands there
            look_all(urls, wanted())
