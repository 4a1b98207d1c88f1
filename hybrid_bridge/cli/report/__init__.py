"""`hybrid-bridge report`: what `verify` says, as a page for a court, an auditor, a regulator.

The report is data first (`model`), made from what `verify` returned and the file's own bytes; four small renderers draw
it. Nothing rests on a report: the file goes with it, and so do the commands that compute its hashes again.
"""

import json
import time
from base64 import b64encode
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from hybrid_bridge.cli.exits import error_json
from hybrid_bridge.cli.options import OUTPUT
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.cli.report.building import build
from hybrid_bridge.cli.report.case import Case, Page
from hybrid_bridge.cli.report.checks import COURSE, DOCUMENTS
from hybrid_bridge.cli.report.html import html
from hybrid_bridge.cli.report.markdown import markdown
from hybrid_bridge.cli.report.model import Report
from hybrid_bridge.cli.report.texts import LANGUAGES, Words
from hybrid_bridge.cli.verify import bundle_and_package, judged, read_bounded, require_none, trust_of, trust_options
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.evidence import Evidence
from hybrid_bridge.core.package import Package
from hybrid_bridge.core.trust import MAX_TRUST, Trust
from hybrid_bridge.errors import BridgeError, FieldMalformed, Missing, SettingsMalformed
from hybrid_bridge.steps.verify.exports import export_kind
from hybrid_bridge.steps.verify.package import PackageEvidence, judge_package
from hybrid_bridge.units import UnixSeconds

FORMATS: Final = ("pdf", "html", "json", "md")
EXTRA: Final = ("reportlab", "fontTools", "pylopdf_fonts_zh_cn")  # what `hybrid-bridge[report]` installs
FORMAT: Final = "hybrid-bridge/report/v1"
MAX_URL: Final = 500  # characters; the code beside it must stay readable for a telephone


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--format", "form", type=click.Choice(FORMATS), default="pdf", show_default=True)
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", show_default=True)
@click.option("--output", "-o", type=OUTPUT, required=True, help="Where to write the report.")
@click.option("--page", "page_url", metavar="URL", default="", help="Where readers find the verifier's page.")
@trust_options
def command(
    bundle: Path,
    form: str,
    lang: str,
    output: Path,
    page_url: str,
    trust_file: Path | None,
    log_hex: str | None,
    urls: tuple[str, ...],
    contract_hex: str | None,
) -> int:
    """Write the verification report of BUNDLE (or of the bundle in an evidence package) for a court or an auditor.

    Findings first, every delay in seconds, what is NOT proven, and commands that compute the hashes again by standard
    tools. The bundle goes with it. One that is refuted, malformed or undecided gets a report that says why.

    Exit codes are those of `hybrid-bridge verify`.
    """
    if form == "pdf":
        _require_pdf()
    data, package = bundle_and_package(bundle)
    require_none({"an export": export_kind(data) is not None}, "a report")
    trust_data = None if trust_file is None else read_bounded(trust_file, MAX_TRUST)
    trust = trust_of(trust_data, log_hex)
    at = UnixSeconds(int(time.time()))
    found, packed = _packed(package, _judged(data, trust, at, urls, contract_hex), trust)
    case = Case(
        data=data,
        file_name=bundle.name,
        trust=trust,
        trust_data=trust_data,
        endpoints=len(urls),
        contract=contract_hex or "",
        at=at,
        judged=found,
        page=Page(_page(page_url), _shipped_page()),
        program=f"hybrid-bridge {version('hybrid-bridge')}",
        package=packed,
    )
    _write(case, lang, form, output)
    if isinstance(found, BridgeError):
        raise found  # the report is written; what `verify` would have said is said all the same
    return 0 if found.complete else Missing.exit_code


def _write(case: Case, lang: str, form: str, output: Path) -> None:
    written = rendered(case, build(case, lang), form)
    with writing("--output"):
        output.write_bytes(written)
    outcome = Words(lang)(f"outcome.{case.outcome}")
    click.echo(f"{output}: {outcome}, {case.report_id}, {len(written)} bytes")


def rendered(case: Case, report: Report, form: str) -> bytes:
    """The report's bytes in one of the formats."""
    if form == "md":
        return markdown(report, case.data)
    if form == "html":
        return html(report, case.data)
    if form == "pdf":
        from hybrid_bridge.cli.report.pdf import pdf  # noqa: PLC0415 an extra

        return pdf(report, case.data)
    return json.dumps(_machine(case, report), indent=2).encode() + b"\n"


def _require_pdf() -> None:
    """Said before anything is verified, or an endpoint asked.

    Raises:
        SettingsMalformed: the extra is not installed.
    """
    if any(find_spec(name) is None for name in EXTRA):
        rule = "PDF needs its extra: pip install 'hybrid-bridge[report]'; html, md and json need nothing"
        raise SettingsMalformed(key="--format pdf", rule=rule)


def _machine(case: Case, report: Report) -> dict[str, object]:
    """For machines: the texts, the evidence as `verify --json` has it, and the file."""
    found = case.judged if case.package is None else case.package
    verdict = error_json(found) if isinstance(found, BridgeError) else found.to_json()
    return {
        "format": FORMAT,
        "report": report.to_json(),
        "evidence" if case.error is None else "error": verdict,
        "bundle": {
            "name": case.file_name,
            "size": len(case.data),
            "sha256": case.digest.hex(),
            "base64": b64encode(case.data).decode(),
        },
    }


def _judged(
    data: bytes, trust: Trust, at: UnixSeconds, urls: tuple[str, ...], contract_hex: str | None
) -> Evidence | BridgeError:
    """What `verify` says, or why it stopped; a check that failed is a finding, a wrong option is not."""
    try:
        return judged(data, trust, at, urls, contract_hex)
    except BridgeError as error:
        if not error.stopped_at:
            raise
        return error


def _packed(
    package: Package | None, found: Evidence | BridgeError, trust: Trust
) -> tuple[Evidence | BridgeError, PackageEvidence | None]:
    """What is said of the package that the bundle came in; a document that does not fit refutes it after all checks."""
    if package is None or isinstance(found, BridgeError):
        return found, None
    try:
        return found, judge_package(package, found, trust)
    except BridgeError as error:
        error.reached, error.stopped_at = COURSE, DOCUMENTS
        return error, None


def _page(url: str) -> str:
    """An address that a browser opens, without a fragment: that is where the digest goes.

    Raises:
        FieldMalformed: anything else.
    """
    parts = urlsplit(url)
    fits = len(url) <= MAX_URL and url.isascii() and url.isprintable() and " " not in url and "#" not in url
    if url and not (fits and parts.scheme in ("https", "http", "file") and (parts.netloc or parts.path)):
        raise FieldMalformed(
            field="--page", rule=f"an http(s) or file URL without fragment, at most {MAX_URL} characters"
        )
    return url


def _shipped_page() -> str:
    """SHA-256 of the page that comes with this program."""
    return sha256((files("hybrid_bridge") / "web" / "index.html").read_bytes()).hex()
