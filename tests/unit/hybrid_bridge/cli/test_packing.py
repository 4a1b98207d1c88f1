"""`bundle zip` as a user types it, and `verify` of what it made."""

import hashlib
import io
import json
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest

from hybrid_bridge.cli import packing
from hybrid_bridge.core.encoding import b64u
from tests.bundles import NOW, consortium
from tests.tsa import Tsa, serving

ROOT = Path(__file__).parents[4]


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: NOW + 0.7)


@pytest.fixture
def invoice(folder):
    (folder / "invoice 1.xml").write_bytes(consortium().document_bytes())
    return "invoice 1.xml"


def content(path):
    with zipfile.ZipFile(path) as package:
        return {info.filename: package.read(info) for info in package.infolist()}


def test_a_bundle_and_its_document_are_packed_and_verified(typed, folder, invoice):
    done = typed("bundle", "zip", "document.hb.json", "--artefact", invoice, "--out", "d.hb.zip")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"d.hb.zip: 1 document, {(folder / 'd.hb.zip').stat().st_size} bytes\n"
    text = typed("verify", "d.hb.zip", "--trust", "trust.json")
    assert text.code == 0
    assert text.out.startswith("VERIFIED\n")
    assert "SHA-256 equal to field doc.0.sha256, epoch 1" in " ".join(text.out.split())
    assert max(map(len, text.out.splitlines())) <= 120
    whole = typed("verify", "d.hb.zip", "--trust", "trust.json", "--json").json()
    alone = typed("verify", "document.hb.json", "--trust", "trust.json", "--json").json()
    package = whole.pop("package")
    assert whole == alone
    assert package["documents"][0]["sha256"] == b64u(hashlib.sha256(consortium().document_bytes()).digest())
    assert sorted(p.name for p in folder.iterdir() if "hb.zip" in p.name) == ["d.hb.zip"]


def test_the_package_has_what_the_specification_lists(typed, folder, invoice):
    typed("bundle", "zip", "document.hb.json", "--artefact", invoice, "--trust", "trust.json", "-o", "d.hb.zip")
    found = content(folder / "d.hb.zip")
    assert next(iter(found)) == "mimetype"
    assert found["bundle.json"] == (folder / "document.hb.json").read_bytes()
    assert found["spec/SPEC.md"] == (ROOT / "docs/spec/SPEC.md").read_bytes()
    assert found["report/verdict.txt"].decode().splitlines()[3] == "VERIFIED"
    report = json.loads(found["report/verdict.json"])
    assert report["at"] == NOW
    assert report["trust_sha256"] == b64u(hashlib.sha256((folder / "trust.json").read_bytes()).digest())
    assert report["evidence"]["complete"] is True
    source = json.loads(found["verifier/source.json"])
    path = "steps/verify/package.py"
    data = (ROOT / "hybrid_bridge" / path).read_bytes()
    assert source["sha256"][path] == b64u(hashlib.sha256(data).digest())
    assert {"units.py", "core/proof.py", "errors/base.py", "business/rulebook.py"} <= source["sha256"].keys()
    name = next(n for n in found if n.startswith("artefacts/"))
    assert found[name] == consortium().document_bytes()
    assert len([n for n in found if n.startswith("certs/")]) == 4


def test_without_a_trust_file_there_is_no_report(typed, folder):
    typed("bundle", "zip", "receivable.hb.json", "-o", "r.hb.zip")
    assert not [name for name in content(folder / "r.hb.zip") if name.startswith("report/")]


def test_reports_go_in_under_names_that_a_package_may_have(typed, folder):
    for form in ("html", "md"):
        typed("report", "receivable.hb.json", "--trust", "trust.json", "--format", form, "-o", f"the report.{form}")
    reports = ("--report", "the report.html", "--report", "the report.md")
    assert typed("bundle", "zip", "receivable.hb.json", *reports, "--trust", "trust.json", "-o", "r.hb.zip").code == 0
    found = content(folder / "r.hb.zip")
    assert found["report/the_report.html"] == (folder / "the report.html").read_bytes()
    names = ["the_report.html", "the_report.md", "verdict.json", "verdict.txt"]
    assert [name for name in found if name.startswith("report/")] == [f"report/{name}" for name in names]
    assert typed("verify", "r.hb.zip", "--trust", "trust.json").code == 0


@pytest.mark.parametrize("form", ["html", "md", "json", "pdf"])
def test_a_report_of_another_bundle_is_refused(typed, folder, form):
    for name in ("receivable", "split"):
        typed("report", f"{name}.hb.json", "--trust", "trust.json", "--format", form, "-o", f"{name}.{form}")
    assert typed("bundle", "zip", "split.hb.json", "--report", f"split.{form}", "-o", "s.hb.zip").code == 0
    done = typed("bundle", "zip", "split.hb.json", "--report", f"receivable.{form}", "-o", "r.hb.zip")
    assert (done.code, "name the SHA-256 of FILE" in done.err) == (2, True)
    assert not (folder / "r.hb.zip").exists()


@pytest.mark.parametrize("name", ["Verdict.txt", "a.pdf"])
def test_reports_of_one_name_are_refused(typed, folder, name):
    (folder / "x").mkdir()
    for path in (folder / name, folder / "x" / name):
        path.write_bytes(b"a report")
    named = ("--report", name, "--report", f"x/{name}") if name == "a.pdf" else ("--report", name)
    done = typed("bundle", "zip", "receivable.hb.json", *named, "-o", "r.hb.zip")
    assert (done.code, "--report" in done.err) == (2, True)
    assert not (folder / "r.hb.zip").exists()


def test_the_same_files_give_the_same_bytes_whenever_and_in_whatever_order(typed, folder, invoice, monkeypatch):
    (folder / "copy.xml").write_bytes(consortium().document_bytes())
    typed("bundle", "zip", "document.hb.json", "--artefact", invoice, "--artefact", "copy.xml", "-o", "1.hb.zip")
    monkeypatch.setattr(time, "time", lambda: NOW + 100_000.0)
    typed("bundle", "zip", "document.hb.json", "--artefact", "copy.xml", "--artefact", invoice, "-o", "2.hb.zip")
    assert (folder / "1.hb.zip").read_bytes() == (folder / "2.hb.zip").read_bytes()


def test_a_file_that_is_none_of_the_documents_is_wrong_input_and_accuses_no_bundle(typed, folder):
    (folder / "other.pdf").write_bytes(b"other")
    wanted, got = hashlib.sha256(consortium().document_bytes()).hexdigest(), hashlib.sha256(b"other").hexdigest()
    done = typed("bundle", "zip", "document.hb.json", "--artefact", "other.pdf", "-o", "d.hb.zip")
    assert done.code == 2
    assert "REFUTED" not in done.err
    assert done.err.startswith(
        f"rejected: OtherDocument(file='other.pdf', wanted='{wanted} in doc.0.sha256', got={got}): "
    )
    assert "the bundle holds" in done.err
    assert not [p.name for p in folder.iterdir() if "hb.zip" in p.name]
    assert typed("verify", "document.hb.json", "--trust", "trust.json").code == 0


def test_of_a_bundle_that_opens_no_document_it_is_said_that_none_is_wanted(typed, folder):
    (folder / "other.pdf").write_bytes(b"other")
    done = typed("bundle", "zip", "receivable.hb.json", "--artefact", "other.pdf", "-o", "d.hb.zip")
    assert (done.code, "the bundle opens no field with a document" in done.err) == (2, True)


def test_a_bundle_that_does_not_hold_is_not_packed(typed, folder):
    data = (folder / "receivable.hb.json").read_bytes().replace(b'"purpose":"record"', b'"purpose":"x"')
    (folder / "x.hb.json").write_bytes(data)
    assert typed("bundle", "zip", "x.hb.json", "-o", "x.hb.zip").code == 2
    assert not (folder / "x.hb.zip").exists()


def test_an_old_package_stays_until_the_new_one_is_whole(typed, folder):
    (folder / "other.pdf").write_bytes(b"other")
    (folder / "d.hb.zip").write_bytes(b"old")
    typed("bundle", "zip", "document.hb.json", "--artefact", "other.pdf", "-o", "d.hb.zip")
    assert (folder / "d.hb.zip").read_bytes() == b"old"


def test_a_place_that_cannot_be_written_is_a_wrong_option(typed):
    done = typed("bundle", "zip", "receivable.hb.json", "-o", "absent/r.hb.zip")
    assert done.code == 2
    assert "--out" in done.err


def test_a_document_beyond_the_limit_is_refused_unread(typed, folder, monkeypatch):
    monkeypatch.setattr(packing, "MAX_UNPACKED", 10)
    (folder / "big.pdf").write_bytes(bytes(11))
    done = typed("bundle", "zip", "document.hb.json", "--artefact", "big.pdf", "-o", "d.hb.zip")
    assert done.code == 2
    assert "TooLong(field='big.pdf'" in done.err


def test_an_authority_stamps_the_manifest(typed, folder):
    tsa = Tsa(now=lambda: float(NOW))
    (folder / "tsa.json").write_bytes(consortium().trust(tsa_roots=(tsa.root_der,)).encode())
    with serving(tsa) as served:
        assert typed("bundle", "zip", "receivable.hb.json", "-o", "r.hb.zip", "--tsa", served.url).code == 0
    package = typed("verify", "r.hb.zip", "--trust", "tsa.json", "--json").json()["package"]
    assert package["stamp"]["time"] == NOW
    assert package["stamp"]["basis"].endswith("one of your tsa_roots")
    text = " ".join(typed("verify", "r.hb.zip", "--trust", "trust.json").out.split())
    assert "manifest: existed by" in text
    assert "NOT trusted" in text
    with serving(tsa, nonce=1) as served:
        assert typed("bundle", "zip", "receivable.hb.json", "-o", "n.hb.zip", "--tsa", served.url).code == 1
    assert not (folder / "n.hb.zip").exists()


def test_the_independent_verifier_is_packed_where_there_is_one(typed, folder, monkeypatch):
    monkeypatch.setattr(packing, "VERIFIER", "docs/spec/CONTRACT.md")
    typed("bundle", "zip", "receivable.hb.json", "-o", "r.hb.zip")
    found = content(folder / "r.hb.zip")
    assert found["verifier/verify_bundle.py"] == (ROOT / "docs/spec/CONTRACT.md").read_bytes()
    monkeypatch.setattr(packing, "VERIFIER", "docs/absent.py")
    typed("bundle", "zip", "receivable.hb.json", "-o", "s.hb.zip")
    assert "verifier/verify_bundle.py" not in content(folder / "s.hb.zip")


def test_without_its_specification_no_package_is_made(typed, monkeypatch):
    monkeypatch.setattr(packing, "SPECIFICATION", "docs/absent.md")
    assert typed("bundle", "zip", "receivable.hb.json", "-o", "r.hb.zip").code == 3


def test_wheels_carry_what_a_package_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    needed = [name for name in (packing.SPECIFICATION, packing.VERIFIER) if (ROOT / name).exists()]
    shipped = {name: f"hybrid_bridge/cli/shipped/{Path(name).name}" for name in needed}
    others = {"contracts/src": "hybrid_bridge/adapters/abi/src"}
    others["infra/prometheus/alerts.yml"] = "relayers/shipped/alerts.yml"
    assert included == shipped | others


# ── verify ──


def test_a_package_is_known_by_its_content_and_may_come_by_a_pipe(typed, folder, monkeypatch):
    typed("bundle", "zip", "receivable.hb.json", "-o", "r.hb.zip")
    data = (folder / "r.hb.zip").read_bytes()
    (folder / "x.hb.json").write_bytes(data)
    assert typed("verify", "x.hb.json", "--trust", "trust.json").code == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert typed("verify", "-", "--trust", "trust.json").code == 0


def test_a_changed_package_is_refuted_and_one_cut_off_malformed(typed, folder):
    typed("bundle", "zip", "receivable.hb.json", "-o", "r.hb.zip")
    data = bytearray((folder / "r.hb.zip").read_bytes())
    data[data.index(b"# ", 2000) + 5] ^= 1  # in the specification: nothing rests on it, and still
    (folder / "x.hb.zip").write_bytes(data)
    assert typed("verify", "x.hb.zip", "--trust", "trust.json").code == 1
    (folder / "x.hb.zip").write_bytes(data[:-1])
    outcome = typed("verify", "x.hb.zip", "--trust", "trust.json", "--json")
    assert outcome.code == 2
    assert outcome.json()["branch"] == "malformed"


def test_other_programs_find_the_package_sound(typed, folder, invoice):
    typed("bundle", "zip", "document.hb.json", "--artefact", invoice, "-o", "d.hb.zip")
    with zipfile.ZipFile(folder / "d.hb.zip") as package:
        assert package.testzip() is None
    done = subprocess.run([sys.executable, "-m", "zipfile", "-t", "d.hb.zip"], cwd=folder, check=False)
    assert done.returncode == 0
    assert (folder / "d.hb.zip").read_bytes()[30:].startswith(b"mimetypeapplication/vnd.hybrid-bridge.evidence+zip")
