"""`hybrid-bridge consortium init`: what a founding chooses when it is not told."""

import tomllib

import pytest

MEMBERS = ("--member", "core,LEI:CORE,validator+sequencer", "--member", "bank,LEI:BANK,member")


@pytest.mark.parametrize(
    ("asked", "slot"),
    [((), 10), (("--cadence", "30"), 0), (("--cadence", "65"), 0), (("--block-every", "0"), 0)],
)
def test_blocks_go_by_the_clock_where_ten_seconds_fit_the_epoch(typed, folder, asked, slot):
    assert typed("consortium", "init", *MEMBERS, "--out", "new", *asked).code == 0
    settings = tomllib.loads((folder / "new/nodes/core/node.toml").read_text())
    assert settings.get("block_every", 0) == slot


def test_slots_that_do_not_fill_an_epoch_are_refused_before_anything_is_written(typed, folder):
    done = typed("consortium", "init", *MEMBERS, "--out", "new", "--block-every", "7")
    assert (done.code, "--block-every" in done.err) == (2, True)
    assert not (folder / "new").exists()


def test_a_plain_member_has_the_registry_s_key_and_no_validator_s(typed, folder):
    assert typed("consortium", "init", *MEMBERS, "--out", "new", "--post-quantum").code == 0
    held = {path.stem for path in (folder / "new/nodes/bank/keys").iterdir()}
    assert held == {"identity", "sealing", "party", "tls", "vrf"}
    assert {"mldsa", "set", "attestation"} <= {path.stem for path in (folder / "new/nodes/core/keys").iterdir()}
