"""`hybrid-bridge demo`: four members, a regulator, two relayers, a public chain and an outsider on one machine."""

import fcntl
import json
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import click

from hybrid_bridge.cli.consortium import LEDGERS
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.errors import SettingsMalformed

SOON: Final = 0.02  # seconds
MARKER: Final = ".hybrid-bridge-demo"  # a folder that we may empty


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-out"),
    show_default=True,
    help="Where everything is left. A folder of an earlier demo is emptied, no other.",
)
@click.option(
    "--rpc",
    metavar="URL",
    help="Use this test chain instead of the embedded one: `anvil --block-time 1 --slots-in-an-epoch 1`, or "
    "`geth --dev --dev.period 1 --http` (whose blocks become final after a minute).",
)
@click.option("--cadence", type=click.IntRange(2, 3600), default=4, show_default=True, help="Seconds per epoch.")
@click.option(
    "--ledger",
    type=click.Choice(LEDGERS),
    default=LEDGERS[0],
    show_default=True,
    help="Who orders: one member, or a CometBFT engine beside each member's node.",
)
@click.option("--engine-binary", default="cometbft", show_default=True, help="The engine's program.")
@click.option("--json", "as_json", is_flag=True, help="Only the report, for machines.")
def command(out: Path, rpc: str | None, cadence: int, ledger: str, engine_binary: str, as_json: bool) -> None:
    """Play a whole consortium, its public anchor and an outsider who catches fraud. Takes about a minute.

    Real processes, real keys, a real EVM; TEST companies. Kill any of the processes while it runs: it is started
    again and nothing is lost. Ctrl-C ends everything that was started.
    """
    hear_the_end()
    with _folder(out):
        engine = engine_binary if ledger == "cometbft" else None
        ending = _play(out, rpc, cadence, engine, as_json=as_json)
    click.echo(ending)


def _play(out: Path, rpc: str | None, cadence: int, engine: str | None, *, as_json: bool) -> str:
    """All acts; the last words. Modules are imported when their act comes: meanwhile nodes start."""
    from hybrid_bridge.cli.demo.founding import found_consortium  # noqa: PLC0415
    from hybrid_bridge.cli.demo.stage import Stage  # noqa: PLC0415
    from hybrid_bridge.cli.demo.telling import Narrator  # noqa: PLC0415
    from hybrid_bridge.testing.datasets.receivables import generate  # noqa: PLC0415
    from hybrid_bridge.units import Seconds  # noqa: PLC0415

    narrator = Narrator(quiet=as_json)
    if rpc is not None:
        from hybrid_bridge.cli.demo.publishing import require_chain  # noqa: PLC0415

        require_chain(rpc)  # before anything is started in vain
    files = generate(suppliers=1, banks=2).files
    _write_documents(out, files)
    try:
        with Stage(out / "logs", lambda name, how: narrator.say(f"({name} {how}; it was started again)")) as stage:
            founded = found_consortium(out, narrator, stage, files, Seconds(cadence), engine)

            from hybrid_bridge.cli.demo.cheating import cheat  # noqa: PLC0415
            from hybrid_bridge.cli.demo.proving import prove  # noqa: PLC0415
            from hybrid_bridge.cli.demo.publishing import publish  # noqa: PLC0415
            from hybrid_bridge.cli.demo.racing import tell_race  # noqa: PLC0415
            from hybrid_bridge.cli.demo.trading import trade  # noqa: PLC0415

            play = publish(founded, rpc)
            traded = trade(play)
            proofs = prove(play, traded)
            race = tell_race(play)
            catches = cheat(play, traded, proofs)
            restarts = {child.name: child.restarts for child in stage.children.values() if child.restarts}
    except BaseException as error:
        where = f"in the act “{narrator.chapter_title}”; every process was ended; their logs are in {out / 'logs'}/"
        error.add_note(where)
        raise
    from hybrid_bridge.cli.demo.leaving import closing, report_of, write_report  # noqa: PLC0415

    report = report_of(play, traded, proofs, catches, race=race, restarts=restarts)
    write_report(play, proofs, report)
    return json.dumps(report, indent=2, ensure_ascii=False) if as_json else closing(play, proofs, embedded=rpc is None)


@contextmanager
def _folder(out: Path) -> Iterator[None]:
    """An empty folder with our marker, ours alone while we play; a folder that is not ours is never touched.

    Raises:
        SettingsMalformed: there is something else, or another demo plays there.
    """
    try:
        str(out.absolute()).encode("utf-8")
    except UnicodeEncodeError:  # settings name paths, and they are UTF-8
        raise SettingsMalformed(key="--out", rule="a path that this locale can read: set LC_ALL=C.UTF-8") from None
    with writing("--out"):
        if out.exists() and any(out.iterdir()) and not (out / MARKER).is_file():
            raise SettingsMalformed(key="--out", rule="a new folder, or one of an earlier demo")
        out.mkdir(parents=True, exist_ok=True)
        marker = (out / MARKER).open("w", encoding="utf-8")
    with marker:
        try:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SettingsMalformed(key="--out", rule="a folder in which no other demo plays now") from None
        marker.write("made by `hybrid-bridge demo`; the next demo empties this folder\n")
        marker.flush()
        _empty(out)
        yield


def _empty(out: Path) -> None:
    for path in out.iterdir():
        if path.name == MARKER:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def hear_the_end() -> None:
    """Every signal that asks for an end is a `KeyboardInterrupt`, and none is lost.

    One that comes while Python runs the callback of a weak reference, or a `__del__`, is printed and dropped by it
    (`sys.unraisablehook`); then it is raised again a moment later, outside.
    """
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, _as_interrupt)
    sys.unraisablehook = _again_if_interrupted


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _again_if_interrupted(dropped: "sys.UnraisableHookArgs") -> None:
    if issubclass(dropped.exc_type, KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, SOON)
    else:
        sys.__unraisablehook__(dropped)


def _write_documents(out: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        if name.startswith("documents/"):
            path = out / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
