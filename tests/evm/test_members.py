"""`hybrid-bridge members` against a real EVM: two sets, anchors of both, names out of files, copies of the log, liars."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.web.serving import WebServer
from hybrid_bridge.cli.members import command
from hybrid_bridge.cli.tiles import reply_to
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.errors import BridgeError, FieldMismatch, Missing, RootMismatch, UnknownLog, Unreachable
from hybrid_bridge.node.laying import lay
from hybrid_bridge.units import TreeSize, TxHash
from tests.evm.town import Town, founded, opened

HANDOVER = TreeSize(8)


class Rotated(Town):
    """Anchors at 2, 5 and 7 by set 1, at 9 by set 2, in which the first member has another key; 10 is signed and no more."""

    def live(self) -> None:
        for size in (2, 5):
            self.anchor(size)
        self.second = self.rotate(HANDOVER)
        (self.replaced,) = set(self.second.addresses) - set(self.validators.addresses)
        self.anchor(7)
        self.validators = self.second
        self.anchor(9)
        self.settle()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rotated]:
    folder = tmp_path_factory.mktemp("members")
    with opened(folder) as terminal:
        town = Rotated(terminal, folder / "town", founded(bytes(20), "members"))
        town.live()
        yield town


def asked(town: Town, *more: object, url: str = "", refused: type[BridgeError] | None = None) -> Any:
    contract = "0x" + town.chain.contract.hex()
    given = ["--rpc", url or town.terminal.devnet.url, "--contract", contract, "--log", town.log_id.hex(), *more]
    done = CliRunner().invoke(command, [str(part) for part in given])
    if refused is not None:
        assert isinstance(done.exception, refused), (done.output, done.exception)
        return done.exception
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def told(town: Town, *more: object, **how: Any) -> Any:
    return json.loads(asked(town, *more, "--json", **how))


def names(town: Town) -> Path:
    return town.folder / "public" / "members.json"


def hexed(address: bytes) -> str:
    return f"0x{address.hex()}"


def test_every_set_is_shown_with_its_sizes_its_transaction_and_its_state(town: Rotated) -> None:
    first, second = told(town)["sets"]
    assert (first["set_id"], first["from_size"], first["to_size"], first["state"]) == (1, 1, 7, "past")
    assert (second["set_id"], second["from_size"], second["to_size"], second["state"]) == (2, 8, None, "in force")
    assert len(second["transaction"]) == 66
    assert {k["address"] for k in second["keepers"]} == set(map(hexed, town.second.addresses))


def test_without_files_a_row_is_a_hash_and_nobody_is_independent(town: Rotated) -> None:
    report = told(town)
    assert {k["basis"] for s in report["sets"] for k in s["keepers"]} == {"not opened"}
    found = report["sets"][1]["independence"]
    assert (found["n"], found["q"], found["entities"], found["unknown"]) == (4, 3, 0, 4)
    assert (found["to_sign"], found["to_block"]) == (1, 1)
    text = asked(town)
    assert "name hash" in text
    assert "4 keys of nobody known" in text


def test_names_that_hash_are_shown_as_the_members_own_word(town: Rotated) -> None:
    report = told(town, "--names", names(town))
    keepers = report["sets"][1]["keepers"]
    assert {(k["name"], k["legal_id"], k["basis"]) for k in keepers} == {
        (n, f"LEI:{n.upper()}", "self-stated") for n in "abcd"
    }
    assert all(k["issuer"].startswith("CN=") and k["valid_from"] < k["valid_until"] for k in keepers)
    assert report["sets"][1]["independence"]["to_sign"] == 3
    assert report["sets"][1]["independence"]["to_block"] == 2
    assert report["sets"][1]["counted"] == "the members' own word for their names"


def test_a_root_that_i_trust_makes_a_name_certified_and_a_strangers_root_nobodys(town: Rotated, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

    def trusting(pem: bytes) -> Path:
        (out := tmp_path / f"{len(pem)}.json").write_bytes(
            Trust(member_roots=(load_pem_x509_certificate(pem).public_bytes(Encoding.DER),)).encode()
        )
        return out

    own = trusting((town.folder / "public" / "ca.pem").read_bytes())
    found = told(town, "--names", names(town), "--trust", own)["sets"][1]
    assert {k["basis"] for k in found["keepers"]} <= {
        "certified by a root you trust",
        "self-stated; its certificate is not valid now",
    }
    lay(found_elsewhere(), tmp_path / "strange")
    strange = trusting((tmp_path / "strange" / "public" / "ca.pem").read_bytes() + b"\n\n")
    found = told(town, "--names", names(town), "--trust", strange)["sets"][1]
    assert (found["independence"]["entities"], found["independence"]["unknown"]) == (0, 4)


def found_elsewhere() -> Any:
    return founded(bytes(20), "strange")


def test_the_keys_that_a_name_had_are_its_history(town: Rotated) -> None:
    keepers = told(town, "--names", names(town))["sets"][1]["keepers"]
    (changed,) = [k for k in keepers if k["address"] == hexed(town.replaced)]
    assert [set_id for set_id, _ in changed["history"]] == [1, 2]
    assert changed["history"][1][1] == hexed(town.replaced)
    assert changed["history"][0][1] != hexed(town.replaced)
    assert "other keys of this name: set 1: 0x" in asked(town, "--names", names(town))


def test_who_signed_each_anchor_is_recovered_from_its_calldata(town: Rotated) -> None:
    report = told(town)
    assert [(one["size"], one["set_id"], len(one["signers"]), one["unseen"]) for one in report["signed"]] == [
        (2, 1, 3, []),
        (5, 1, 3, []),
        (7, 1, 3, []),
        (9, 2, 3, []),
    ]
    assert report["signed"][3]["signers"] == [hexed(address) for address in town.second.addresses[:3]]
    assert report["without_anchor"] == [[3, 4], [6, 6], [8, 8]]
    assert [one["size"] for one in told(town, "--anchors", 2)["signed"]] == [7, 9]


def test_who_is_not_among_the_signers_is_silent_until_a_note_shows_the_signature(town: Rotated) -> None:
    (silent,) = told(town)["silent"]
    assert (silent["address"], silent["last_size"], silent["missed"]) == (hexed(town.second.addresses[3]), None, 1)
    note = town.note(10, count=3, skip=1)
    report = told(town, "--log-copy", note)
    assert [one["size"] for one in report["signed"]][-1] == 10
    (other,) = report["silent"]
    assert (other["address"], other["last_size"], other["missed"]) == (hexed(town.second.addresses[0]), 9, 1)


def test_a_copy_of_the_log_is_the_one_that_was_anchored(town: Rotated) -> None:
    assert told(town, "--log-copy", town.tiles(10))["signed"][-1]["size"] == 10
    error = asked(town, "--log-copy", town.tiles(10, b"another history"), refused=RootMismatch)
    assert error.expected == town.checkpoint(7).root or error.expected == town.checkpoint(9).root
    asked(town, "--log-copy", town.note(9, b"another history"), refused=RootMismatch)


def test_a_copy_is_fetched_from_where_it_is_served(town: Rotated) -> None:
    folder = town.tiles(10)
    server = WebServer("127.0.0.1", 0, lambda method, path, _: reply_to(folder, method, path, hashes_only=True), 0)
    server.start()
    try:
        assert told(town, "--log-copy", f"http://127.0.0.1:{server.port}/")["signed"][-1]["size"] == 10
        error = asked(town, "--log-copy", f"http://127.0.0.1:{server.port}/elsewhere", refused=Missing)
        assert "HTTP 404" in error.what
    finally:
        server.close()
    asked(town, "--log-copy", f"http://127.0.0.1:{server.port}/", refused=Unreachable)
    asked(town, "--log-copy", folder / "nothing", refused=Missing)


def test_a_name_that_does_not_hash_is_refuted(town: Rotated, tmp_path: Path) -> None:
    given = json.loads(names(town).read_bytes())
    given["members"][0]["legal_name"] = "Somebody Else Ltd"
    (tmp_path / "m.json").write_text(json.dumps(given, sort_keys=True, separators=(",", ":")))
    error = asked(town, "--names", tmp_path / "m.json", refused=FieldMismatch)
    assert error.field.startswith("name of 0x")
    assert error.exit_code == 1


def test_a_bundle_of_another_log_opens_nothing(town: Rotated, tmp_path: Path) -> None:
    other = Town(town.terminal, tmp_path / "other", founded(bytes(20), "other"))
    error = asked(town, "--names", other.bundle((other.note(2), [])), refused=FieldMismatch)
    assert error.field == "bundle.log_id"


def test_anchors_are_not_looked_for_before_the_log_was_registered(
    town: Rotated, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, asked_from = Web3Chain.anchored, []

    def counted(chain: Web3Chain, log: Any, first: Any, last: Any) -> Any:
        asked_from.append(first)
        return honest(chain, log, first, last)

    monkeypatch.setattr(Web3Chain, "anchored", counted)
    report = told(town)
    (begins,) = {chain_block(town, one["transaction"]) for one in report["sets"] if one["set_id"] == 1}
    assert [one["size"] for one in report["signed"]] == [2, 5, 7, 9]
    assert min(asked_from) == begins > 0


def chain_block(town: Rotated, tx: str) -> int:
    receipt = town.chain.receipt(TxHash(bytes.fromhex(tx[2:])))
    assert receipt is not None
    return receipt.block_number


def test_a_log_that_nobody_registered_is_told_so(town: Rotated) -> None:
    stranger = Town.__new__(Town)
    stranger.chain, stranger.terminal, stranger.log_id = town.chain, town.terminal, b"\x11" * 32  # type: ignore[assignment]
    asked(stranger, refused=UnknownLog)


def test_a_look_that_begins_too_late_says_what_it_lacks(town: Rotated) -> None:
    late = town.chain.latest().number
    error = asked(town, "--from-block", late, refused=Missing)
    assert "endpoint" in error.what or "registration" in error.what


def test_endpoints_that_do_not_agree_are_no_answer(town: Rotated) -> None:
    away = "http://127.0.0.1:9"
    error = asked(town, "--rpc", away, refused=Missing)
    assert error.what.endswith("no such answer from endpoint 2")
    assert error.exit_code == 3
    same = town.terminal.devnet.url.replace("127.0.0.1", "localhost")
    assert len(told(town, "--rpc", same, "--rpc", away)["sets"]) == 2


def test_one_endpoint_that_hides_a_set_is_outvoted_and_alone_contradicts_the_head(
    town: Rotated, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hybrid_bridge.adapters.evm import keepers  # noqa: PLC0415

    honest = keepers._sets

    def hiding(chain: Any, *rest: Any) -> Any:
        return honest(chain, *rest)[: 1 if chain.name == "endpoint 2" else None]

    monkeypatch.setattr(keepers, "_sets", hiding)
    same = [town.terminal.devnet.url.replace("127.0.0.1", "localhost"), town.terminal.devnet.url.rstrip("/") + "/third"]
    asked(town, "--rpc", same[0], refused=Missing)
    assert len(told(town, "--rpc", same[0], "--rpc", same[1])["sets"]) == 2
    monkeypatch.setattr(keepers, "_sets", lambda *given: honest(*given)[:1])
    error = asked(town, refused=Missing)
    assert error.what == "the event of validator set 2"


def test_help_says_which_of_the_two_commands_this_is() -> None:
    assert "without s" in CliRunner().invoke(command, ["--help"]).output
