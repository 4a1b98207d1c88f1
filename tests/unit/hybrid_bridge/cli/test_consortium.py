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


ELSEWHERE = """[[members]]
name = "{name}"
legal_name = "{name}"
legal_id = "LEI:{name}"
roles = [{roles}]
endpoint = "{name}.example:7001"
"""


def several(folder, *more):
    """A plan of members on machines of their own."""
    core = ELSEWHERE.format(name="core", roles='"validator", "sequencer"')
    bank = ELSEWHERE.format(name="bank", roles='"validator"')
    (folder / "plan.toml").write_text("\n".join([core, bank, *more]))
    return "--members", "plan.toml", "--out", "new", "--ledger", "cometbft"


def engine_of(folder, name):
    return tomllib.loads((folder / f"new/nodes/{name}/engine/config/config.toml").read_text())


def test_engines_on_other_machines_have_the_usual_ports_and_answer_their_own_member_alone(typed, folder):
    done = typed("consortium", "init", *several(folder))
    assert (done.code, "node engine" in done.out) == (0, True)
    core = engine_of(folder, "core")
    assert core["rpc"]["laddr"] == "tcp://127.0.0.1:26657"
    assert core["p2p"]["persistent_peers"].endswith("@bank.example:26656")
    assert 'engine_rpc = "127.0.0.1:26657"' in (folder / "new/nodes/core/node.toml").read_text()


def test_a_plan_says_where_an_engine_listens(typed, folder):
    more = 'engine = "10.0.0.2:7010"', 'engine_rpc = "127.0.0.1:7011"'
    assert typed("consortium", "init", *several(folder, *more)).code == 0
    bank = engine_of(folder, "bank")
    assert (bank["rpc"]["laddr"], bank["p2p"]["laddr"]) == ("tcp://127.0.0.1:7011", "tcp://10.0.0.2:7010")


@pytest.mark.parametrize(
    "more",
    [
        ('engine = "10.0.0.2:7010"',),
        ('engine = "nowhere"', 'engine_rpc = "127.0.0.1:7011"'),
        ('engine = "core.example:26656"', 'engine_rpc = "127.0.0.1:7011"'),
        ('engine = "10.0.0.2:7010"', 'engine_rpc = "10.0.0.2:7011"'),  # whoever reached it could offer and ask anything
        ('engine = "10.0.0.2:7010"', 'engine_rpc = "0.0.0.0:7011"'),
    ],
)
def test_an_engine_has_two_addresses_and_shares_none(typed, folder, more):
    done = typed("consortium", "init", *several(folder, *more))
    assert (done.code, "members.engine" in done.err) == (2, True)
    assert not (folder / "new").exists()


def test_an_engine_in_the_plan_of_an_embedded_ledger_is_refused(typed, folder):
    more = 'engine = "10.0.0.2:7010"', 'engine_rpc = "127.0.0.1:7011"'
    done = typed("consortium", "init", *several(folder, *more)[:-2])
    assert (done.code, "members.engine" in done.err) == (2, True)


def test_under_an_engine_nobody_is_told_of_slots_that_it_does_not_keep(typed, folder):
    wanted = *MEMBERS, "--out", "new", "--ledger", "cometbft"
    assert typed("consortium", "init", *wanted, "--block-every", "10").code == 2
    assert typed("consortium", "init", *wanted).code == 0
    assert "block_every" not in (folder / "new/nodes/core/node.toml").read_text()
    ports = {engine_of(folder, name)[part]["laddr"] for name in ("core", "bank") for part in ("rpc", "p2p")}
    assert len(ports) == 4


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ('brake_all = "quorum"', "powers.brake_all"),
        ("brake_all = [1]", "powers.brake_all"),
        ('brake_all = ["member:nobody"]', "powers.brake_all"),
        ('everything = ["quorum"]', "powers.everything"),
        ("alone_max = -1", "powers.alone_max"),
        ("alone_max = true", "powers.alone_max"),
    ],
)
def test_powers_that_no_rule_knows_are_refused(typed, tmp_path, table, key):
    plan = tmp_path / "plan.toml"
    plan.write_text(f"[powers]\n{table}\n")
    done = typed(
        "consortium",
        "init",
        "--out",
        str(tmp_path / "new"),
        "--members",
        str(plan),
        "--member",
        "a,LEI:A,sequencer+validator",
    )
    assert done.code == 2
    assert key in done.err
    assert not (tmp_path / "new").exists()
