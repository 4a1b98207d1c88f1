"""A report's HTML page in a real browser: it runs nothing, fetches nothing, and fits a telephone."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.cli.main import run
from hybrid_bridge.cli.report.strangers import quoted
from tests.bundles import consortium
from tests.web.test_page import browse


def test_a_report_full_of_hostile_texts_runs_nothing_and_fits_in_both_lights_on_desk_and_phone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    c = consortium()
    name = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>" + "W" * 150
    artefact = replace(c.document().artefacts[0], name=name)
    entry = c.entry(0, "doc.0.sha256")
    bundle = c.bundle(6, c.epoch_part(1, 6, entries=(entry,)), artefacts=(artefact,))
    (tmp_path / "odd.hb.json").write_bytes(bundle.encode())
    (tmp_path / "trust.json").write_bytes(c.trust().encode())
    monkeypatch.chdir(tmp_path)
    command = ["hybrid-bridge", "report", "odd.hb.json", "--trust", "trust.json", "--format", "html", "-o", "r.html"]
    monkeypatch.setattr(sys, "argv", [*command, "--lang", "zh"])
    with pytest.raises(SystemExit) as end:
        run()
    assert end.value.code == 0
    page = (tmp_path / "r.html").as_uri()
    desk, phone = browse({"width": 1200}, {"width": 390, "scheme": "dark"}, page=page)
    assert desk["asked"] == phone["asked"] == [page]
    assert desk["back"] != phone["back"]
    assert (desk["tooWide"], phone["tooWide"]) == ([], [])
    assert [one["widths"][0] for one in (desk, phone)] == [desk["widths"][1], 390]
    assert quoted(name) in desk["text"]
    assert desk["lang"] == "zh-CN"
