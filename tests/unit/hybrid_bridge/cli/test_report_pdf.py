"""The PDF as other people's programs read it: text, pages, attachments, fonts, and nothing beyond its margins."""

import json
import re
import sys
import time
from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree

import pypdfium2
import pytest
from reportlab.pdfgen.canvas import Canvas

from hybrid_bridge.cli import report as command
from hybrid_bridge.cli.report import shell
from hybrid_bridge.cli.report.code import side, squares
from hybrid_bridge.cli.report.pdf.drawing import CODE_SIDE, Drawing
from hybrid_bridge.core.encoding import canonical_json
from tests.bundles import NOW, consortium, edit

MARGIN = 55  # points at the sides; what hangs over is half a character


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: NOW + 0.7)


@pytest.fixture
def made(typed, folder):
    """The bytes of a report."""

    def write(name, *options):
        done = typed("report", f"{name}.hb.json", "--trust", "trust.json", "-o", "r.pdf", *options)
        return (folder / "r.pdf").read_bytes(), done

    return write


def pages(data):
    return pages_of(pypdfium2.PdfDocument(data))


def pages_of(document):
    return [page.get_textpage().get_text_bounded() for page in document]


def joined(data):
    return "".join("".join(pages(data)).split())


def hostile():
    c = consortium()
    name = "\u202e\u2066<b>&lt;\x00|" + "W" * 80 + "\U0001f4a9ع"
    artefact = replace(c.document().artefacts[0], name=name, media_type="x" * 127)
    return c.bundle(6, c.epoch_part(1, 6, entries=(c.entry(0, "doc.0.sha256"),)), artefacts=(artefact,))


@pytest.mark.parametrize(
    ("lang", "title", "verdict", "numbered"),
    [
        (
            "en",
            "Verification report",
            "Verified. All that whoever made this report required was verified",
            "page {} of {}",
        ),
        ("zh", "核验报告", "核验通过。出具人所要求的各项均核验一致", "第 {} 页，共 {} 页"),
    ],
)
def test_its_text_can_be_read_and_every_page_has_its_number_and_the_id(made, lang, title, verdict, numbered):
    data, done = made("receivable", "--lang", lang)
    assert done.code == 0
    report_id = re.search("HB-[0-9A-F]{16}", done.out)[0]
    read = pages(data)
    assert len(read) > 5
    assert title in read[0]
    assert verdict.replace(" ", "") in "".join(read[0].split())
    for number, text in enumerate(read, start=1):
        assert report_id in text
        assert numbered.format(number, len(read)) in text
    assert "\\u" not in "".join(read)


def test_the_file_and_the_commands_are_attached(made, folder):
    data, _ = made("receivable")
    document = pypdfium2.PdfDocument(data)
    attached = [document.get_attachment(index) for index in range(document.count_attachments())]
    found = {one.get_name(): bytes(one.get_data()) for one in attached}
    assert found.keys() == {shell.BUNDLE, "commands.sh"}
    assert found[shell.BUNDLE] == (folder / "receivable.hb.json").read_bytes()
    assert b"sha256sum bundle.hb.json" in found["commands.sh"]


def test_the_media_type_of_an_attachment_is_one_name_of_pdf(made):
    data, _ = made("receivable")
    assert re.findall(rb"/Subtype /(application|text)(\S*)", data) == [
        (b"application", b"#2Fjson"),
        (b"text", b"#2Fplain"),
    ]


@pytest.mark.parametrize(
    ("lang", "language", "title"), [("en", "en", "Verification report"), ("zh", "zh-CN", "核验报告")]
)
def test_it_tells_readers_its_language_title_and_moment(made, lang, language, title):
    data, done = made("receivable", "--lang", lang)
    report_id = re.search("HB-[0-9A-F]{16}", done.out)[0]
    assert f"/Lang ({language})".encode() in data
    assert b"/DisplayDocTitle true" in data
    assert pypdfium2.PdfDocument(data).get_metadata_value("Title") == f"{title} {report_id}"
    [packet] = re.findall(rb"<\?xpacket begin.*?<\?xpacket end=\"r\"\?>", data, re.DOTALL)
    described = {one.tag.partition("}")[2]: "".join(one.itertext()) for one in ElementTree.fromstring(packet).iter()}
    assert described["title"] == f"{title} {report_id}"
    assert described["language"] == language
    assert described["CreateDate"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW))
    assert b"/StructTreeRoot" not in data  # it does not claim to be tagged
    assert b"pdfaid" not in packet  # nor to be PDF/A


def test_what_a_stranger_wrote_leaves_the_description_whole(made, folder):
    whole = json.loads((folder / "receivable.hb.json").read_bytes())
    whole["genesis"]["origin"] = "<&]]>\u202e\x01/x"
    (folder / "odd.hb.json").write_bytes(canonical_json(whole))
    data, done = made("odd")
    assert done.code in (1, 2)
    [packet] = re.findall(rb"<\?xpacket begin.*?<\?xpacket end=\"r\"\?>", data, re.DOTALL)
    assert "<&]]>" in "".join(ElementTree.fromstring(packet).itertext())


def test_its_outline_leads_to_every_section(made):
    document = pypdfium2.PdfDocument(made("receivable", "--lang", "zh")[0])
    found = [(entry.get_title(), entry.get_dest().get_index()) for entry in document.get_toc()]
    assert [title for title, _ in found][:2] == ["结论", "核验对象"]
    assert len(found) == 12
    texts = ["".join(text.split()) for text in pages_of(document)]
    assert all("".join(title.split()) in texts[page] for title, page in found)
    assert [page for _, page in found] == sorted(page for _, page in found)
    assert found[-1][1] == len(texts) - 1


def test_the_code_stands_upright():
    text = "sha256:" + "ab" * 32
    written = BytesIO()
    canvas = Canvas(written, pagesize=(CODE_SIDE, CODE_SIDE))
    Drawing(text).drawOn(canvas, 0, 0)
    canvas.save()
    size = side(text)
    image = pypdfium2.PdfDocument(written.getvalue())[0].render(scale=4, grayscale=True).to_pil()
    unit = image.size[0] / size
    dark = {(row, column + k) for row, column, length in squares(text) for k in range(length)}
    for row in range(size):
        for column in range(size):
            shade = image.getpixel((int((column + 0.5) * unit), int((row + 0.5) * unit)))
            assert (shade < 128) == ((row, column) in dark)


def test_every_font_is_embedded(made):
    data, _ = made("receivable", "--lang", "zh")
    fonts = set(re.findall(rb"/BaseFont /([^ \n/]+)", data))
    assert fonts
    assert all(re.match(rb"[A-Z]{6}\+Noto", font) for font in fonts)
    assert data.count(b"/FontFile2") >= len({font.split(b"+")[1] for font in fonts})


def test_the_same_report_gives_the_same_bytes(made, monkeypatch):
    first, _ = made("receivable", "--lang", "zh")
    made("receivable", "--lang", "en")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    assert made("receivable", "--lang", "zh")[0] == first
    assert time.strftime("D:%Y%m%d%H%M%S", time.gmtime(NOW)).encode() in first


def test_a_refuted_bundle_has_its_reason_in_chinese(made, folder):
    bad = edit(consortium().receivable(), "epochs.0.entries.0.path.1", lambda h: bytes(32))
    (folder / "bad.hb.json").write_bytes(bad.encode())
    data, done = made("bad", "--lang", "zh")
    assert done.code == 1
    text = joined(data)
    assert "核验不通过。该文件不成立" in text
    assert "RootMismatch:该路径通向的根与经签署的根不同。" in text
    assert "条目的路径，序号" in text


@pytest.mark.parametrize(("name", "lang"), [("split", "zh"), ("odd", "en")])
def test_nothing_stands_beyond_the_margins_whatever_the_texts(made, folder, name, lang):
    (folder / "odd.hb.json").write_bytes(hostile().encode())
    data, done = made(name, "--lang", lang)
    assert done.code == 0
    for page in pypdfium2.PdfDocument(data):
        image = page.render(scale=1, grayscale=True).to_pil()
        width, height = image.size
        assert image.crop((0, 0, MARGIN - 6, height)).getextrema()[0] > 200
        assert image.crop((width - MARGIN + 6, 0, width, height)).getextrema()[0] > 200
        assert image.crop((0, height - 28, width, height)).getextrema()[0] > 200
    text = joined(data)
    assert not any(c in text for c in "\u202e\u2066")
    assert name != "odd" or "\\u202e\\u2066<b>&lt;\\u0000|WW" in text
    assert name != "odd" or "\\u1f4a9\\u0639" in text


def test_without_its_extra_the_command_says_what_to_install_and_does_nothing(typed, folder, monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    done = typed("report", "receivable.hb.json", "-o", "r.pdf")
    assert done.code == 2
    assert "pip install 'hybrid-bridge[report]'" in done.err
    assert not (folder / "r.pdf").exists()
    for name in command.EXTRA:
        monkeypatch.setitem(sys.modules, name, None)  # whoever imports it fails
    for form in ("html", "md", "json"):
        assert typed("report", "receivable.hb.json", "--format", form, "-o", f"r.{form}").code == 3
