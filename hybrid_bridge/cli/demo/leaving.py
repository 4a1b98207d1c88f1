"""What a demo leaves behind: the evidence report, and the commands to check everything again by hand."""

import json
import shlex
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hybrid_bridge.cli.demo.telling import number_word
from hybrid_bridge.cli.readable import render
from hybrid_bridge.core.bundle import MAX_BUNDLE
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.trust import parse_trust
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import UnixSeconds

if TYPE_CHECKING:
    from hybrid_bridge.cli.demo.cheating import Catch
    from hybrid_bridge.cli.demo.founding import Play
    from hybrid_bridge.cli.demo.proving import Proof
    from hybrid_bridge.cli.demo.racing import Race
    from hybrid_bridge.cli.demo.trading import Traded

FORMAT: Final = "hybrid-bridge/demo-report/v1"
REVIVED_PORT: Final = 18545
CONTENTS: Final = (
    ("bundles/", "what the outsider holds: {bundles} bundles"),
    ("fraud/", "what he was offered and refused: two bundles"),
    ("trust.json", "what he relies on: log, contract, public block hashes, the members' authority"),
    ("checkpoints/", "the notes that the validators signed, one for each anchor"),
    ("report.txt", "the evidence report: this story, and every verdict of each bundle; report.json for machines"),
    ("documents/", "the invoices, which went to their parties only"),
    ("logs/", "what each process said"),
    ("consortium/", "the members' folders: keys, settings, databases"),
    ("relayers/", "the relayers' settings and journals"),
    ("public-chain/", "gas keys, deployments.json"),
)
EMBEDDED: Final = "gas keys, deployments.json, and every public block of the embedded chain"


def report_of(
    play: "Play",
    traded: "Traded",
    proofs: Sequence["Proof"],
    catches: Sequence["Catch"],
    *,
    race: "Race",
    restarts: Mapping[str, int],
) -> dict[str, Json]:
    """The whole outcome, for machines."""
    return {
        "format": FORMAT,
        "log_id": play.directory.log_id.hex(),
        "contract": "0x" + play.contract.hex(),
        "transactions": len(traded.entry_leaves),
        "refused": traded.refused,
        "bundles": [
            {"file": str(p.path.relative_to(play.out)), "question": p.question, "evidence": p.evidence} for p in proofs
        ],
        "frauds": [
            {"fraud": c.fraud, "caught_by": c.caught_by, "error": c.error, "details": c.details} for c in catches
        ],
        "checkpoints": [str(path.relative_to(play.out)) for path in sorted((play.out / "checkpoints").iterdir())],
        "race": race.to_json(),
        "restarts": dict(restarts),
        "seconds": int(play.narrator.seconds),
    }


def write_report(play: "Play", proofs: Sequence["Proof"], report: dict[str, Json]) -> None:
    """`report.json`, and `report.txt` with the story and what `verify` says of each bundle."""
    (play.out / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")
    made = int(time.time())
    text = [
        f"Evidence report of a demo, {time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(made))}",
        *play.narrator.lines,
    ]
    trust = parse_trust((play.out / "trust.json").read_bytes())
    for proof in proofs:
        title = f"{proof.path.relative_to(play.out)}, verified offline with trust.json"
        evidence = verify(proof.path.read_bytes()[:MAX_BUNDLE], trust, UnixSeconds(made))
        text += ["", "─" * len(title), title, "─" * len(title), "", render(evidence)]
    (play.out / "report.txt").write_text("\n".join(text) + "\n", "utf-8")


def closing(play: "Play", proofs: Sequence["Proof"], embedded: bool) -> str:
    """The last lines: what is where, and what to type."""
    out, program = play.out, program_name()
    trust = ["--trust", str(out / "trust.json")]
    lines = ["", click.style(f"Done in {play.narrator.seconds:.0f} s. Left in {out}/:", bold=True)]
    lines += [f"   {name:<14} {what}" for name, what in contents(len(proofs), embedded=embedded)]
    lines += ["", click.style("Check again by hand, offline; the last two are refuted (exit code 1):", bold=True)]
    checked = [*(proof.path for proof in proofs), *sorted((out / "fraud").iterdir())]
    lines += [f"   {program} {shlex.join(['verify', str(path), *trust])}" for path in checked]
    lines += ["", click.style("See what a bundle claims:", bold=True)]
    lines.append(f"   {program} {shlex.join(['bundle', 'info', str(proofs[-1].path)])}")
    if embedded:
        state, url = out / "public-chain" / "chain.jsonl", f"http://127.0.0.1:{REVIVED_PORT}"
        pages = ["--allow-origin", "null"]  # the verifier page may ask it too
        revive = ["devnet", "--state-file", str(state), "--port", str(REVIVED_PORT), "--period", "1", *pages]
        lines += ["", click.style("Bring the public chain back, and in another terminal ask it too:", bold=True)]
        lines.append(f"   {program} {shlex.join(revive)}")
        lines.append(f"   {program} {shlex.join(['verify', str(proofs[0].path), *trust, '--rpc', url])}")
    text = "\n".join(lines)
    return text if play.narrator.screen.colours else click.unstyle(text)


def contents(bundles: int, *, embedded: bool) -> Sequence[tuple[str, str]]:
    """What stands in the folder, and what it is."""
    (first, what), *others = CONTENTS
    found = (first, what.format(bundles=number_word(bundles))), *others
    return (*found[:-1], (found[-1][0], EMBEDDED)) if embedded else found


def program_name() -> str:
    """How this program was called, so that the commands work as printed."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{_found(Path(sys.executable))} -m hybrid_bridge"
    return _found(called)


def _found(program: Path) -> str:
    """The bare name if the shell finds the same file by it, else the path."""
    by_name = shutil.which(program.name)
    if by_name is not None and Path(by_name).absolute() == program.absolute():
        return program.name
    absolute = program.absolute()
    return shlex.quote(str(absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else absolute))
