"""`hybrid-bridge demo`: four members, a regulator, two relayers, a public chain and an outsider on one machine."""

import json
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

import click

from hybrid_bridge.core.encoding import Json
from hybrid_bridge.errors import SettingsMalformed

MARKER: Final = ".hybrid-bridge-demo"  # a folder that we may empty


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-out"),
    show_default=True,
    help="Where everything is left. A folder of an earlier demo is emptied, no other.",
)
@click.option("--rpc", metavar="URL", help="Use this public chain (anvil, geth --dev) instead of the embedded one.")
@click.option("--cadence", type=click.IntRange(2, 3600), default=4, show_default=True, help="Seconds per epoch.")
@click.option("--json", "as_json", is_flag=True, help="Only the report, for machines.")
def command(out: Path, rpc: str | None, cadence: int, as_json: bool) -> None:
    """Play a whole consortium, its public anchor and an outsider who catches fraud. Takes about a minute.

    Real processes, real keys, a real EVM; TEST companies. Ctrl-C ends everything it started.
    """
    from hybrid_bridge.cli.demo.cheating import cheat  # noqa: PLC0415 heavy, and only here
    from hybrid_bridge.cli.demo.opening import open_play  # noqa: PLC0415
    from hybrid_bridge.cli.demo.proving import prove  # noqa: PLC0415
    from hybrid_bridge.cli.demo.stage import Stage  # noqa: PLC0415
    from hybrid_bridge.cli.demo.telling import Narrator  # noqa: PLC0415
    from hybrid_bridge.cli.demo.trading import trade  # noqa: PLC0415
    from hybrid_bridge.testing.datasets.receivables import generate  # noqa: PLC0415
    from hybrid_bridge.units import Seconds  # noqa: PLC0415

    _prepare(out)
    signal.signal(signal.SIGTERM, _as_interrupt)
    signal.signal(signal.SIGHUP, _as_interrupt)
    narrator = Narrator(quiet=as_json)
    files = generate(suppliers=1, banks=2).files
    _write_documents(out, files)
    with Stage(out / "logs", lambda name, count: narrator.say(f"({name} died and was restarted, {count})")) as stage:
        play = open_play(out, narrator, stage, files, Seconds(cadence), rpc)
        traded = trade(play)
        proofs = prove(play, traded)
        catches = cheat(play, traded, proofs)
        restarts = {child.name: child.restarts for child in stage.children.values() if child.restarts}
    report: dict[str, Json] = {
        "format": "hybrid-bridge/demo-report/v1",
        "log_id": play.directory.log_id.hex(),
        "contract": "0x" + play.contract.hex(),
        "transactions": len(traded.entry_leaves),
        "refused": traded.refused,
        "bundles": [{"file": str(proof.path.relative_to(out)), "question": proof.question} for proof in proofs],
        "frauds": [{"fraud": c.fraud, "caught_by": c.caught_by, "error": c.error} for c in catches],
        "restarts": dict(restarts),
        "seconds": int(narrator.seconds),
    }
    _end(out, narrator.lines, report)
    if as_json:
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        click.echo(_closing(out, [proof.path for proof in proofs], narrator.seconds))


def _prepare(out: Path) -> None:
    """An empty folder with our marker; a folder that is not ours is never touched.

    Raises:
        SettingsMalformed: there is something else.
    """
    if out.exists() and any(out.iterdir()) and not (out / MARKER).exists():
        raise SettingsMalformed(key="--out", rule="a new folder, or one of an earlier demo")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / MARKER).write_text("made by `hybrid-bridge demo`; the next demo empties this folder\n")


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _write_documents(out: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        if name.startswith("documents/"):
            path = out / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)


def _end(out: Path, lines: Sequence[str], report: dict[str, Json]) -> None:
    (out / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    made = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    (out / "report.txt").write_text(f"Evidence report of a demo, {made}\n" + "\n".join(lines) + "\n")


def _closing(out: Path, bundles: Sequence[Path], seconds: float) -> str:
    trust = out / "trust.json"
    return "\n".join(
        [
            "",
            click.style(f"Done in {seconds:.0f} s. Left in {out}/:", bold=True),
            "   bundles/       what the outsider holds: three facts, nothing else disclosed",
            "   fraud/         what he was offered and refused",
            "   checkpoints/   the notes the validators signed",
            "   trust.json     the outsider's own choices: log, contract, public block hashes, member authority",
            "   report.txt     this story; report.json for machines",
            "   documents/     the invoices, which never left their parties",
            "   logs/          every process; consortium/ and relayers/ their folders and databases",
            "",
            "Check again by hand, offline:",
            *(f"   .venv/bin/hybrid-bridge verify {path} --trust {trust}" for path in bundles),
            f"   .venv/bin/hybrid-bridge verify {out / 'fraud' / 'receivable-changed-digit.hb.json'} --trust {trust}",
            f"   .venv/bin/hybrid-bridge bundle info {bundles[0]}",
        ]
    )
