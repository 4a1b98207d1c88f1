"""`bundle timestamp` and `bundle renew` as a user types them, against a small authority on loopback."""

from dataclasses import replace

import pytest

from hybrid_bridge.core.bundle import TokenAnchor, decode_bundle
from tests.bundles import NOW, consortium
from tests.tsa import Served, Tsa, serving


@pytest.fixture
def tsa():
    clock = iter(range(NOW, NOW + 1_000))
    return Tsa(now=lambda: float(next(clock)))


@pytest.fixture
def trusting(folder, tsa):
    (folder / "tsa.json").write_bytes(consortium().trust(tsa_roots=(tsa.root_der,)).encode())
    return "tsa.json"


def test_a_bundle_is_stamped_and_renewed_twice_and_verifies(typed, folder, tsa, trusting):
    with serving(tsa) as served:
        done = typed("bundle", "timestamp", "receivable.hb.json", "--tsa", served.url, "--trust", trusting)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("receivable.hb.json: size 4 existed by ")
        assert typed("bundle", "renew", "receivable.hb.json", "--tsa", served.url).code == 0
        done = typed(
            "bundle", "renew", "receivable.hb.json", "--tsa", served.url, "--hash", "sha3-512", "-o", "new.hb.json"
        )
        assert done.out.startswith("new.hb.json: renewal 1: all of it existed by ")
    evidence = typed("verify", "new.hb.json", "--trust", trusting, "--json").json()
    assert [(fact["place"], fact["hash"]) for fact in evidence["tokens"]] == [
        ("size 4", "sha-256"), ("renewal 0", "sha-256"), ("renewal 1", "sha3-512"),
    ]  # fmt: skip
    assert all(fact["basis"] for fact in evidence["tokens"])
    text = " ".join(typed("verify", "new.hb.json", "--trust", trusting).out.split())
    assert "Timestamps" in text
    assert "its authority: CN=TEST TSA root, one of your tsa_roots" in text
    untrusting = " ".join(typed("verify", "new.hb.json", "--trust", "trust.json").out.split())
    assert "NOT trusted; bring the root" in untrusting
    assert len(decode_bundle((folder / "receivable.hb.json").read_bytes()).renewals) == 1


def test_a_token_that_the_trust_file_does_not_trust_is_not_kept(typed, folder, tsa):
    before = (folder / "receivable.hb.json").read_bytes()
    with serving(tsa) as served:
        done = typed("bundle", "timestamp", "receivable.hb.json", "--tsa", served.url, "--trust", "trust.json")
    assert done.code == 3
    assert "nothing was written" in done.err
    assert (folder / "receivable.hb.json").read_bytes() == before


def test_what_was_renewed_is_changed_no_more(typed, folder, tsa):
    with serving(tsa) as served:
        assert typed("bundle", "renew", "receivable.hb.json", "--tsa", served.url).code == 0
        for command in (("timestamp", "--tsa", served.url), ("upgrade", "--rpc", served.url, "--contract", "00" * 20)):
            done = typed("bundle", command[0], "receivable.hb.json", *command[1:])
            assert done.code == 2
            assert "renewals cover every byte" in done.err


def test_an_authority_whose_clock_is_behind_the_newest_token_is_asked_again_later(typed, folder, tsa):
    note = decode_bundle((folder / "receivable.hb.json").read_bytes()).checkpoints[0].note
    token = tsa.stamp(note.split("\n\n")[0].encode() + b"\n", NOW + 500)
    bundle = replace(consortium().receivable(), anchors=(TokenAnchor(tree_size=4, token=token),))
    (folder / "receivable.hb.json").write_bytes(bundle.encode())
    with serving(tsa) as served:
        done = typed("bundle", "renew", "receivable.hb.json", "--tsa", served.url)
    assert done.code == 3
    assert "a time of this authority after" in done.err


def test_an_answer_that_does_not_hold_changes_nothing(typed, folder, tsa):
    before = (folder / "receivable.hb.json").read_bytes()
    with serving(tsa, nonce=1) as served:
        assert typed("bundle", "timestamp", "receivable.hb.json", "--tsa", served.url).code == 1
    with Served(lambda _: (500, {}, b"")) as served:
        assert typed("bundle", "timestamp", "receivable.hb.json", "--tsa", served.url).code == 3
    assert (folder / "receivable.hb.json").read_bytes() == before


def test_standard_input_needs_an_output(typed):
    for command in ("timestamp", "renew"):
        assert typed("bundle", command, "-", "--tsa", "http://127.0.0.1:1").code == 2
