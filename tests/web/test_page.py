"""The verifier's page, opened from disk in a real browser: what it shows, what it never does."""

import hashlib
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.core.encoding import parse_b64u
from hybrid_bridge.core.labels import Label
from tests.bundles import consortium
from tests.web.node import ROOT, WEB, axe, chromium, run
from tests.web.test_same_package import DOCUMENT, deflated, packed, trust, with_entry

EXAMPLES = ROOT / "hybrid_bridge" / "cli" / "example_files"
PAGE = (WEB / "index.html").as_uri()
TRUST = EXAMPLES / "trust.json"
LINKS = ["document", "record", "epoch", "checkpoint", "signers", "registry", "public"]


def browse(*visits: dict[str, Any], page: str = PAGE, refused: bool = False) -> list[dict[str, Any]]:
    """What the page shows after each visit; whatever the visit, it complains of nothing and fetches nothing.

    `refused`: the browser complains of addresses that it may not or cannot ask.

    And whatever it shows, axe finds nothing in it that keeps somebody out (WCAG 2.2 AA, and its best practices).
    """
    ready = {} if page == PAGE else {"ready": "body"}
    told = [
        visit | ready | {name: [str(path) for path in visit[name]] for name in ("files", "cancel") if name in visit}
        for visit in visits
    ]
    seen: list[dict[str, Any]] = run("browse.mjs", chromium(), axe(), text=json.dumps({"page": page, "visits": told}))
    for one in seen:
        assert [told for told in one["complaints"] if not (refused and any(words in told for words in ADDRESSES))] == []
        assert one["unlabelled"] == 0
        assert one["violations"] == []
        assert (one["scripts"], one["images"], one["pwned"]) == (int(page == PAGE), 0, None)
    return seen


ADDRESSES = ("Connecting to '", "Fetch API cannot load", "Failed to load resource", "Access to fetch at")


def test_good_and_bad_bundles_have_their_colours_in_both_languages_on_desk_and_phone() -> None:
    good = {"files": [EXAMPLES / "receivable.hb.json", TRUST]}
    digit = {"files": [EXAMPLES / "receivable-changed-digit.hb.json", TRUST], "click": ["#zh"]}
    few = {"files": [EXAMPLES / "receivable-signed-by-too-few.hb.json", TRUST], "scheme": "dark", "width": 390}
    bare = {"files": [EXAMPLES / "financing.hb.json"], "width": 390}
    shown, changed, below, untrusted = browse(good, digit, few, bare)
    assert shown["head"] == "Verified: all that you require holds."
    assert [name for name, _ in shown["links"]] == LINKS
    assert dict(shown["links"])["public"] == "green"
    assert dict(shown["verdicts"])["level"] == "A1"
    assert json.loads(shown["raw"])["complete"]
    assert (changed["error"], changed["lang"], dict(changed["links"])["record"]) == ("RootMismatch", "zh-CN", "red")
    assert (below["error"], dict(below["links"])["checkpoint"]) == ("BelowQuorum", "red")
    assert below["back"] != shown["back"]  # dark and light
    assert untrusted["headClass"] == "head amber"
    assert {colour for _, colour in untrusted["links"]} == {"amber"}
    assert [one["widths"][0] for one in (below, untrusted)] == [390, 390]
    asked = {url for one in (shown, changed, below, untrusted) for url in one["asked"]}
    assert {url for url in asked if not url.startswith("blob:null/")} == {PAGE}  # its worker is made of the page itself


def test_a_document_is_the_one_whose_digest_a_field_holds_or_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "invoice.pdf").write_bytes(b"no invoice of these")
    [stranger] = browse({"files": [EXAMPLES / "receivable.hb.json", TRUST, tmp_path / "invoice.pdf"]})
    assert stranger["links"][0] == ["document", "red"]
    assert (stranger["headClass"], stranger["head"]) == (
        "head red",
        "The bundle holds. A file that you gave is none of its documents.",
    )


EXPECTED = """(() => {
  const one = document.getElementById("expected");
  return { name: one.dataset.expected, words: one.textContent, digests: [...one.querySelectorAll("code")].map((code) => code.textContent),
    colour: one.className, role: one.getAttribute("role"), elements: [...one.querySelectorAll("*")].map((e) => e.tagName) };
})()"""


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_page_says_which_bundle_its_address_names_and_whether_it_is_the_one_that_was_dropped(
    tmp_path: Path,
) -> None:
    good, changed = EXAMPLES / "receivable.hb.json", EXAMPLES / "receivable-changed-digit.hb.json"
    wanted, other = digest_of(good), digest_of(changed)
    address = f"{PAGE}#sha256={wanted}"
    visits = [
        {"page": address, "width": 390},
        {"page": address, "files": [good, TRUST], "width": 390},
        {"page": address, "files": [changed, TRUST], "width": 390, "scheme": "dark"},
        {"page": f"{PAGE}#sha256={other.upper()}", "files": [changed, TRUST], "click": ["#zh"]},
        {"page": f"{PAGE}#sha256={other}", "files": [good, TRUST], "click": ["#zh"]},
        {"page": PAGE, "files": [good, TRUST]},
    ]
    seen = browse(*(visit | {"look": EXPECTED} for visit in visits))
    told = [(one["looked"]["name"], one["looked"]["digests"], one["looked"]["colour"]) for one in seen]
    assert told == [
        ("expectedNow", [wanted], ""),
        ("expectedEqual", [wanted], ""),
        ("expectedOther", [wanted, other], "red"),
        ("expectedEqual", [other], ""),
        ("expectedOther", [other, wanted], "red"),
        ("", [], ""),
    ]
    assert {one["looked"]["role"] for one in seen} == {"status"}  # a screen reader says it
    assert seen[1]["looked"]["words"].startswith("EQUAL")
    assert seen[2]["looked"]["words"].startswith("ANOTHER FILE")
    assert seen[3]["looked"]["words"].startswith("一致")
    assert seen[4]["looked"]["words"].startswith("并非同一文件")
    verdicts = [(one["error"], one["headClass"]) for one in seen[1:]]  # the address changes none of them
    holds, refuted = ("", "head green"), ("RootMismatch", "head red")
    assert verdicts == [holds, refuted, refuted, holds, holds]
    assert all(one["tooWide"] == [] for one in seen)


@pytest.mark.parametrize(
    "fragment",
    [
        "sha256=" + "a" * 63,
        "sha256=" + "a" * 65,
        "sha256=" + "g" * 64,
        "sha256=" + "a" * 64 + "&x=1",
        "sha512=" + "a" * 64,
        "<img src=x onerror=window.pwned=1>",
        "sha256=%3Cscript%3Ewindow.pwned=1%3C/script%3E",
    ],
)
def test_what_names_no_bundle_in_the_address_is_said_to_be_unreadable_and_changes_nothing(fragment: str) -> None:
    [seen] = browse({"page": f"{PAGE}#{fragment}", "files": [EXAMPLES / "receivable.hb.json", TRUST], "look": EXPECTED})
    looked = seen["looked"]
    assert (looked["name"], looked["colour"], looked["digests"]) == ("expectedUnreadable", "amber", [])
    assert looked["elements"] == ["SPAN"]
    assert fragment not in looked["words"]
    assert seen["headClass"] == "head green"


def test_of_a_package_the_bundle_in_it_is_compared_and_what_cannot_be_read_is_not(tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_bytes(trust())
    (tmp_path / "whole.hb.zip").write_bytes(packed())
    (tmp_path / "cut.hb.zip").write_bytes(packed()[:-1])
    (tmp_path / "long.hb.json").write_bytes(b'{"anchors":' + bytes(1 << 20))
    with zipfile.ZipFile(tmp_path / "whole.hb.zip") as package:
        inside = hashlib.sha256(package.read("bundle.json")).hexdigest()
    names = "whole.hb.zip", "cut.hb.zip", "long.hb.json"
    seen = browse(
        *(
            {"page": f"{PAGE}#sha256={inside}", "files": [tmp_path / name, tmp_path / "trust.json"], "look": EXPECTED}
            for name in names
        )
    )
    told = [(one["looked"]["name"], one["looked"]["colour"]) for one in seen]
    assert told == [("expectedEqual", ""), ("expectedUncompared", "amber"), ("expectedUncompared", "amber")]


def test_another_address_on_the_open_page_is_compared_anew() -> None:
    good = EXAMPLES / "receivable.hb.json"
    look = f"""(async () => {{
      const changed = new Promise((done) => window.addEventListener("hashchange", done, {{ once: true }}));
      location.hash = "#sha256={"0" * 64}";
      await changed;
      return {EXPECTED};
    }})()"""
    [seen] = browse({"page": f"{PAGE}#sha256={digest_of(good)}", "files": [good, TRUST], "look": look})
    assert seen["looked"]["name"] == "expectedOther"
    assert seen["looked"]["digests"] == ["0" * 64, digest_of(good)]


def test_a_package_is_verified_with_its_documents(tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_bytes(trust())
    spoilt = {"whole": packed(), "deflated": packed(zipfile.ZIP_DEFLATED), "another": packed(**{DOCUMENT: b"another"})}
    spoilt |= {"cut": packed()[:-1], "bomb": bomb()}
    for name, data in spoilt.items():
        (tmp_path / f"{name}.hb.zip").write_bytes(data)
    (tmp_path / "stranger.txt").write_bytes(b"none of them")
    zh = {"files": [tmp_path / "whole.hb.zip", tmp_path / "trust.json", tmp_path / "stranger.txt"], "click": ["#zh"]}
    seen = browse(*({"files": [tmp_path / f"{name}.hb.zip", tmp_path / "trust.json"]} for name in spoilt), zh)
    for one in seen[:2]:
        assert (one["head"], one["links"][0]) == ("Verified: all that you require holds.", ["document", "green"])
        assert [document["path"] for document in json.loads(one["raw"])["package"]["documents"]] == [DOCUMENT]
    assert [one["error"] for one in seen[2:5]] == ["FieldMismatch", "FieldMalformed", "TooLong"]
    assert {one["links"][0][1] for one in seen[2:5]} == {"red"}
    assert (seen[5]["links"][0], seen[5]["lang"]) == (["document", "red"], "zh-CN")
    assert "名验证者中有" in seen[5]["text"]  # what a verdict found, too
    assert json.loads(seen[5]["raw"])["verdicts"][0]["result"] == "verified"  # and what is compared stays as it is
    assert "证据文件包" in seen[5]["text"]


def bomb() -> bytes:
    """Ten mebibytes that say they are a hundred bytes."""
    return with_entry(deflated(bytes(10 << 20)), bytes(100))


def test_text_of_strangers_runs_nowhere_and_ends_soon(tmp_path: Path) -> None:
    markup = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>"
    whole = json.loads((EXAMPLES / "receivable.hb.json").read_text("utf-8"))
    hostile = {
        "member": json.dumps(whole | {markup: 1}, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
        "critical": json.dumps(
            whole | {"critical": [markup[:60]], "extensions": {markup[:60]: 1}},
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        ),
        "deep": "[" * 1_000_000,
        "prototype": '{"__proto__":{"pwned":1}}',
    }
    for name, text in hostile.items():
        (tmp_path / f"{name}.hb.json").write_text(text, "utf-8")
    seen = browse(*({"files": [tmp_path / f"{name}.hb.json", TRUST]} for name in hostile))
    assert [one["error"] for one in seen] == ["FieldMalformed", "Missing", "FieldMalformed", "FieldMalformed"]
    assert "<img src=x" in seen[1]["text"]  # shown as what it is: text
    assert "pwned" not in seen[3]["raw"] or seen[3]["pwned"] is None


def slow_bundle() -> bytes:
    """As dear as the format allows: 256 labels, each with a VRF proof."""
    log = consortium()
    labels = [log.label(Label(2, ("CN", f"26990000000000{number:06}")), 0, 3) for number in range(256)]
    return log.bundle(4, log.epoch_part(3, 4, labels=tuple(labels)), purpose="registry").encode()


def test_a_bundle_that_takes_long_holds_nothing_up_and_can_be_given_up(tmp_path: Path) -> None:
    (tmp_path / "slow.hb.json").write_bytes(slow_bundle())
    [seen] = browse({"cancel": [tmp_path / "slow.hb.json"], "files": [EXAMPLES / "receivable.hb.json", TRUST]})
    held = seen["cancelled"]
    assert held["step"] == "10 registry"
    assert held["frames"] > 20
    assert (held["head"], held["left"]) == ("Cancelled: nothing is said of this bundle.", 0)
    assert seen["head"] == "Verified: all that you require holds."  # and the page goes on with the next one


def test_a_slow_bundle_is_judged_to_its_end_if_one_waits(tmp_path: Path) -> None:
    (tmp_path / "slow.hb.json").write_bytes(slow_bundle())
    (tmp_path / "trust.json").write_bytes(consortium().trust().encode())
    [seen] = browse({"files": [tmp_path / "slow.hb.json", tmp_path / "trust.json"]})
    assert dict(seen["verdicts"])["registry"] == "verified"


class Endpoint(BaseHTTPRequestHandler):
    """A public chain's JSON-RPC: every block is final and has the hash that `hashes` says."""

    hashes: dict[int, str]

    def do_OPTIONS(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        result: Any = "0x7a69"
        if asked["method"] == "eth_getBlockByNumber":
            named = asked["params"][0]
            number = 10**6 if named == "finalized" else int(named, 16)
            result = {"number": hex(number), "hash": self.hashes.get(number, "0x" + "11" * 32)}
        self.answer(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}).encode())

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        for name, value in (("access-control-allow-origin", "*"), ("access-control-allow-headers", "content-type")):
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def endpoint(hashes: dict[int, str], kind: type[Endpoint] = Endpoint) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Told", (kind,), {"hashes": hashes})) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_endpoints_that_agree_vouch_for_the_public_block_and_one_that_lies_does_not(tmp_path: Path) -> None:
    trust = json.loads(TRUST.read_text("utf-8"))
    [block] = trust["public_chains"][0]["block_hashes"]
    hashes = {block["number"]: "0x" + parse_b64u(block["hash"], "hash").hex()}
    trust["public_chains"][0]["block_hashes"] = []
    (tmp_path / "trust.json").write_text(json.dumps(trust), "utf-8")
    files = [EXAMPLES / "receivable.hb.json", tmp_path / "trust.json"]
    with endpoint(hashes) as one, endpoint(hashes) as other, endpoint({}) as liar:
        agreed = {"files": files, "fill": {"rpc": f"{one}\n{other}\n{liar}", "needed": "2"}}
        alone = {"files": files, "fill": {"rpc": f"{one}\n{liar}", "needed": "1"}}
        two, split = browse(agreed, alone)
    assert dict(two["verdicts"])["public anchor"] == "verified"
    assert "2 of 3 endpoints that call it final" in two["text"]
    assert dict(split["verdicts"])["public anchor"] == "undecided"


@pytest.fixture
def unblocked(tmp_path: Path) -> Callable[..., list[Path]]:
    """The receivable, and a trust file that names its contract and no public block, with other fields of its chain."""

    def made(**fields: Any) -> list[Path]:
        trust = json.loads(TRUST.read_text("utf-8"))
        trust["public_chains"][0] |= {"block_hashes": [], **fields}
        name = "-".join(["trust", *fields])
        (tmp_path / f"{name}.json").write_text(json.dumps(trust), "utf-8")
        return [EXAMPLES / "receivable.hb.json", tmp_path / f"{name}.json"]

    return made


def honest() -> dict[int, str]:
    [block] = json.loads(TRUST.read_text("utf-8"))["public_chains"][0]["block_hashes"]
    return {block["number"]: "0x" + parse_b64u(block["hash"], "hash").hex()}


def test_an_endpoint_has_one_voice_on_the_chain_and_as_many_are_needed_as_the_trust_file_asks(
    unblocked: Callable[..., list[Path]],
) -> None:
    with endpoint(honest()) as one, endpoint(honest()) as other:
        host = one.replace("http://", "HTTP://")
        visits = {
            "alone": {"files": unblocked(), "fill": {"rpc": one}},
            "twice": {"files": unblocked(), "fill": {"rpc": f"{one}\n{host}/", "needed": "2"}},
            "fewer": {"files": unblocked(threshold=2), "fill": {"rpc": one, "needed": "1"}},
            "enough": {"files": unblocked(threshold=2), "fill": {"rpc": f"{one}\n{other}"}},
            "elsewhere": {"files": unblocked(chain_id=1), "fill": {"rpc": one}},
        }
        seen = dict(zip(visits, browse(*visits.values()), strict=True))
    told = {name: dict(page["verdicts"])["public anchor"] for name, page in seen.items()}
    assert told == {
        "alone": "verified",
        "twice": "undecided",
        "fewer": "undecided",
        "enough": "verified",
        "elsewhere": "undecided",
    }
    assert "2 of 2 endpoints" in seen["enough"]["text"]
    assert "trust in contract" in seen["elsewhere"]["text"]


class Astray(Endpoint):
    """Says the truth in answer to the question before."""

    def answer(self, body: bytes) -> None:
        super().answer(
            json.dumps({**told, "id": told["id"] - 1}).encode() if (told := json.loads(body or b"{}")) else b""
        )


def test_an_answer_to_another_question_is_no_endpoints_word(unblocked: Callable[..., list[Path]]) -> None:
    with endpoint(honest(), Astray) as astray, endpoint(honest()) as one:
        [alone, beside] = browse(
            {"files": unblocked(), "fill": {"rpc": astray}}, {"files": unblocked(), "fill": {"rpc": f"{astray}\n{one}"}}
        )
    for page in (alone, beside):
        assert dict(page["verdicts"])["public anchor"] == "undecided"


class Elsewhere(Endpoint):
    """Sends whoever asks to another server."""

    def do_POST(self) -> None:
        self.send_response(307)
        self.send_header("location", self.hashes)  # type: ignore[arg-type]
        self.send_header("access-control-allow-origin", "*")
        self.end_headers()


class Flood(Endpoint):
    """An answer that does not end."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("access-control-allow-origin", "*")
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(b'"' + b"x" * (1 << 16))


def test_endpoints_that_answer_nonsense_or_for_ever_are_named_by_their_place_alone(
    unblocked: Callable[..., list[Path]],
) -> None:
    with (
        endpoint(honest()) as one,
        endpoint(one, Elsewhere) as sent,  # type: ignore[arg-type]
        endpoint({}, Flood) as flood,
    ):
        bad = [f"{flood}/v3/s3cret", sent, "javascript:window.pwned=1", "file:///etc/passwd", "no address"]
        [seen] = browse(
            {"files": unblocked(), "fill": {"rpc": "\n".join([*bad, one]), "needed": "1"}, "click": ["#zh"]},
            refused=True,
        )
    assert dict(seen["verdicts"])["public anchor"] == "undecided"
    assert json.loads(seen["raw"])["warnings"] == [f"no answer from endpoint {place}" for place in range(1, 6)]
    assert "第 5 个节点无应答" in seen["text"]
    assert "s3cret" not in seen["raw"] + seen["text"]


def test_what_is_typed_and_is_no_hex_is_not_passed_over() -> None:
    files = [EXAMPLES / "receivable.hb.json", TRUST]
    log, contract = browse({"files": files, "fill": {"log": "12 34"}}, {"files": files, "fill": {"contract": "0x12"}})
    assert (log["headClass"], log["verdicts"]) == (contract["headClass"], contract["verdicts"]) == ("head amber", [])
    assert log["head"].startswith("The log id that you typed")
    assert contract["head"].startswith("The contract that you typed")


def test_a_trust_file_in_other_clothes_is_a_document_and_of_two_neither_counts(tmp_path: Path) -> None:
    for name in ("invoice.pdf", "annex.hb.json", "theirs.json"):
        (tmp_path / name).write_bytes(TRUST.read_bytes())
    bundle = EXAMPLES / "receivable.hb.json"
    disguised, both = browse(
        {"files": [bundle, tmp_path / "invoice.pdf"]}, {"files": [bundle, TRUST, tmp_path / "theirs.json"]}
    )
    assert disguised["headClass"] == "head red"
    assert disguised["links"][0] == ["document", "red"]
    assert json.loads(disguised["raw"])["verdicts"][0]["result"] == "undecided"  # nobody's log is relied on
    assert (both["headClass"], both["verdicts"]) == ("head amber", [])
    assert both["head"].startswith("Two trust files")
    [named] = browse({"files": [bundle, TRUST], "look": "document.getElementById('given').textContent"})
    assert named["looked"] == "bundle: receivable.hb.json · Trust file: trust.json"


@pytest.mark.parametrize(
    "word", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"]
)
def test_no_text_is_ever_read_as_markup_or_code(word: str) -> None:
    sources = [path for path in (WEB / "src").rglob("*.js") if "vendor" not in path.parts]
    code = {
        path: [line for line in path.read_text("utf-8").splitlines() if not line.lstrip().startswith(("*", "/*", "//"))]
        for path in sources
    }
    assert [path.name for path, lines in code.items() if any(word in line for line in lines)] == []


def test_the_policy_lets_nothing_run_but_what_is_in_the_page() -> None:
    page = (WEB / "index.html").read_text("utf-8")
    policy = page.split('Content-Security-Policy" content="')[1].split('"')[0]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "worker-src blob:;" in policy
    assert "unsafe" not in policy
    assert page.count("<script") == 1
