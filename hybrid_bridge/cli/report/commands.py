"""The section of commands, and the same commands as one script."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from hybrid_bridge.cli.report import shell
from hybrid_bridge.cli.report.bench import MAX_STEPS
from hybrid_bridge.cli.report.case import Case
from hybrid_bridge.cli.report.model import Block, Section, Step, Steps, Text
from hybrid_bridge.cli.report.recompute import recomputed
from hybrid_bridge.cli.report.renewals import renewals
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.cli.report.tokens import documents, tokens
from hybrid_bridge.core.encoding import sha256

HEAD: Final = f"""\
# The file is {shell.BUNDLE} in this folder. Each answer is compared with what stands above its command.
# Without the file or a tool every answer would differ, and accuse whoever made the file.
lacking() {{
  echo "nothing compared: $1"; exit 2
}}
[ -f {shell.BUNDLE} ] || lacking "{shell.BUNDLE} is not here"
for tool in {" ".join(shell.TOOLS)}; do
  command -v "$tool" >/dev/null || lacking "$tool is not installed"
done
case $(openssl version) in
  "OpenSSL "[3-9]* | "OpenSSL "[1-9][0-9]*) ;;
  *) lacking "OpenSSL 3 or newer is needed" ;;
esac
count=0 differing=0 skipped=0
same() {{
  count=$((count + 1))
  if [ "$2" = "$3" ]; then echo "$1 ok"; else differing=$((differing + 1)); printf '%s DIFFERS: %s\\n' "$1" "$3"; fi
}}
same_digest() {{
  same "$1" "$2" "$(printf %s "$3" | sha256sum | cut -c1-64)"
}}
without() {{
  skipped=$((skipped + 1)); echo "$1 not compared: $2 is not here"
}}"""
TAIL: Final = """
echo "$count compared, $differing differ, $skipped not compared"
[ "$differing" -eq 0 ]
"""


def commands(case: Case, t: Words) -> Section:
    """From an opened field to the root that was signed, and timestamps, and documents."""
    return Section("commands", t("head.commands"), tuple(_blocks(case, t)))


def _blocks(case: Case, t: Words) -> Iterator[Block]:
    bench = recomputed(case, t)
    yield Text(t("commands.intro"))
    yield Text(t("commands.shape"))
    yield _steps(bench.steps, t)
    if bench.left_out:
        yield Text(t("commands.left_out", count=bench.left_out, limit=MAX_STEPS))
    stamped = tokens(case, t)
    if stamped:
        yield Text(t("commands.tokens" if case.trust.tsa_roots else "commands.tokens_untrusted"))
        yield _steps(stamped, t)
    renewed = renewals(case, t)
    if renewed:
        yield Text(t("commands.renewals"))
        yield _steps(renewed, t)
    named = documents(case, t)
    if named:
        yield Text(t("commands.documents"))
        yield _steps(named, t)
    bundle = case.bundle
    if bundle is not None and any(part.labels for part in bundle.epochs):
        yield Text(t("commands.registry"))
    if bundle is not None and bundle.rotations:
        yield Text(t("commands.sets"))
    yield Text(t("commands.cannot"))


def _steps(steps: list[Step], t: Words) -> Steps:
    numbered = tuple(replace(step, title=f"{number}. {step.title}") for number, step in enumerate(steps, start=1))
    return Steps(
        numbered,
        t("commands.value"),
        *(t(f"commands.{word}", where="{where}", stated="{stated}") for word in ("equals", "differs")),
    )


def script(sections: tuple[Section, ...]) -> str:
    """All commands of a report as they stand in it; each answer is compared, and the exit code tells if one differs."""
    blocks = (block for section in sections for block in section.blocks if isinstance(block, Steps))
    steps = [(block, step) for block in blocks for step in block.steps]
    told = [_compared(number, block, step) for number, (block, step) in enumerate(steps, start=1)]
    return "\n".join([HEAD, *told, TAIL])


def _compared(number: int, block: Steps, step: Step) -> str:
    """One command in a script. What it must print may be a stranger's text: then its digest stands there."""
    wanted = step.stated or step.value
    by = "same" if shell.safe(wanted) else "same_digest"
    value = wanted if by == "same" else sha256(wanted.encode()).hex()
    lines = [f"# {number}: {step.title}", f"# {block.label}: {step.value}"]
    lines += [f"# {block.compared(step)}"] if step.stated else []
    command = [f"got=$(\n{step.command}\n)", f'{by} {number} {value} "$got"']
    if step.needs:
        command = [f"if [ -f {step.needs} ]; then", *command, f"else without {number} {step.needs}; fi"]
    return "\n".join(["", *lines, *command])
