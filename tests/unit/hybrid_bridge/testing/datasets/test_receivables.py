import ast
import hashlib
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hybrid_bridge.core.encoding import b64u, parse_b64u
from hybrid_bridge.testing import datasets
from hybrid_bridge.testing.datasets.receivables import generate
from hybrid_bridge.testing.datasets.story import ZONE

SMALL = "07a4ce8462f5dd09e6c8a2cf943a2e2c9337250fde78fc9f1aeb75d2b56c8ab9"  # a change is a new GENERATOR number
CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
CAC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"


@cache
def small():
    return generate().files


def lines(name, files=None):
    return [json.loads(line) for line in (files or small())[name].splitlines()]


def digest(files):
    whole = hashlib.sha256()
    for path, data in sorted(files.items()):
        whole.update(f"{path}\0{hashlib.sha256(data).hexdigest()}\n".encode())
    return whole.hexdigest()


def test_the_small_set_has_the_bytes_it_was_committed_with():
    assert digest(small()) == SMALL


def test_another_process_generates_the_same_bytes():
    code = (
        "import sys; from hybrid_bridge.testing.datasets.receivables import generate\n"
        "import hashlib; whole = hashlib.sha256()\n"
        "[whole.update(f'{p}\\0{hashlib.sha256(d).hexdigest()}\\n'.encode()) for p, d in sorted(generate().files.items())]\n"
        "print(whole.hexdigest())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert run.stdout.strip() == SMALL


def test_another_seed_tells_the_same_story_with_other_numbers():
    other = generate(seed="TEST other").files
    assert digest(other) != SMALL
    assert [e["schema"] for e in lines("events.jsonl", other)] == [e["schema"] for e in lines("events.jsonl")]
    assert json.loads(other["manifest.json"])["root_faces"] == "160000000"


def test_generators_know_no_rules():
    folder = Path(datasets.__file__).parent
    for path in folder.glob("*.py"):
        if path.name == "play.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith(("hybrid_bridge.business", "hybrid_bridge.steps")), path.name
                assert (node.module or "") != "hybrid_bridge.testing.datasets.play", path.name


def test_the_small_set_has_the_size_it_claims():
    manifest = json.loads(small()["manifest.json"])
    assert manifest["root_faces"] == "160000000"
    assert (manifest["notes"], manifest["root_notes"], manifest["suppliers"], manifest["banks"]) == (50, 24, 8, 3)
    assert manifest["events"] == len(lines("events.jsonl")) == 183
    assert manifest["wide_split_children"] == 50


def test_events_are_numbered_in_the_order_of_their_times():
    events = lines("events.jsonl")
    assert [event["event"] for event in events] == list(range(len(events)))
    times = [event["at"] for event in events]
    assert times == sorted(times)
    assert all(9 <= (at + ZONE) % 86_400 // 3_600 < 24 for at in times)


def test_expectations_point_at_events_and_use_the_verdict_words():
    events = lines("events.jsonl")
    for row in lines("expected.jsonl"):
        assert 0 <= row["at_event"] < len(events)
        assert row["kind"] in ("fraud", "benign")
        assert row["stage"] in ("submit", "party", "verify", "view", "monitor")
        word = row["expect"].partition(":")[0]
        assert word in ("accepted", "rejected", "verified+warn", "refuted", "malformed", "undecided", "alert")
        assert (row["kind"] == "benign") == (word in ("accepted", "verified+warn"))
        assert row["objects"]


def test_every_key_that_an_event_names_is_there_and_says_test():
    keys = json.loads(small()["keys.json"])
    assert "TEST" in keys
    assert all(row["TEST"] is True for row in keys["keys"].values())
    for event in lines("events.jsonl"):
        named = [event["submitter"], *event["authorisers"]]
        named += [value[1:] for value in event["fields"].values() if str(value).startswith("@")]
        assert set(named) <= keys["keys"].keys()


def test_members_are_named_and_suppliers_are_none():
    members = json.loads(small()["members.json"])
    assert [row["key"] for row in members] == ["core", "operator", "bank-1", "bank-2", "bank-3", "regulator", "court"]
    assert all("TEST" in row["name"] for row in members)


def test_documents_are_invoices_whose_sums_and_digests_are_those_of_the_events():
    registered = [event["fields"] for event in lines("events.jsonl") if event["schema"] == "asset.register/1"]
    assert len(registered) == len([name for name in small() if name.startswith("documents/")])
    for fields in registered:
        data = small()[f"documents/{fields['doc.0.name']}"]
        assert fields["doc.0.sha256"] == b64u(hashlib.sha256(data).digest())
        assert fields["doc.0.size"] == len(data)
        invoice = ElementTree.fromstring(data)
        assert invoice.findtext(f"{CBC}UBLVersionID") == "2.3"
        assert invoice.findtext(f"{CBC}ID") == fields["inv_no"]
        assert invoice.findtext(f"{CBC}IssueDate") == fields["issue_date"]
        monetary = invoice.find(f"{CAC}LegalMonetaryTotal")
        sums = [monetary.findtext(f"{CBC}{name}Amount").replace(".", "") for name in ("TaxExclusive", "TaxInclusive")]
        assert [int(amount) for amount in sums] == [int(fields["net"]), int(fields["gross"])]
        assert int(fields["net"]) + int(fields["tax"]) == int(fields["gross"])
        path = f"{CAC}Party/{CAC}PartyLegalEntity/{CBC}CompanyID"
        parties = [invoice.find(f"{CAC}Accounting{role}Party").findtext(path) for role in ("Supplier", "Customer")]
        assert [f"USCI:{party}" for party in parties] == [fields["seller"], fields["buyer"]]
        nets = [
            int(line.findtext(f"{CBC}LineExtensionAmount").replace(".", ""))
            for line in invoice.iter(f"{CAC}InvoiceLine")
        ]
        assert sum(nets) == int(fields["net"])


def test_a_party_key_comes_with_a_certificate_of_its_firm():
    keys = json.loads(small()["keys.json"])["keys"]
    for event in lines("events.jsonl"):
        if "party_cert" not in event["fields"]:
            continue
        certificate = x509.load_der_x509_certificate(parse_b64u(event["fields"]["party_cert"], "party_cert"))
        subject = certificate.subject.rfc4514_string()
        assert "TEST" in subject
        key = certificate.public_key().public_bytes_raw()
        named = [name for name in event["authorisers"] if name in subject]
        assert named
        assert key.hex() == public_of(keys[named[0]]["ed25519_seed"])


def public_of(seed):
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).public_key().public_bytes_raw().hex()


def test_the_slice_fits_one_day_and_one_demonstration():
    files = generate(suppliers=1, banks=2).files
    manifest = json.loads(files["manifest.json"])
    assert (manifest["size"], manifest["root_notes"], manifest["root_faces"]) == ("slice", 8, "160000000")
    days = {(event["at"] + ZONE) // 86_400 for event in lines("events.jsonl", files)}
    assert len(days) == 1
    schemas = {event["schema"] for event in lines("events.jsonl", files)}
    assert schemas == {
        "asset.register/1",
        "asset.confirm/1",
        "note.issue/1",
        "note.accept/1",
        "note.split/1",
        "fin.reserve/1",
        "fin.finance/1",
    }


@pytest.mark.parametrize("size", [{"suppliers": 0}, {"suppliers": 9}, {"banks": 1}, {"banks": 4}])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match="suppliers"):
        generate(**size)
