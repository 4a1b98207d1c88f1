"""The section of commands, and the same commands as one script."""

from collections.abc import Iterator
from dataclasses import replace

from hybrid_bridge.cli.report import shell
from hybrid_bridge.cli.report.bench import MAX_STEPS
from hybrid_bridge.cli.report.case import Case
from hybrid_bridge.cli.report.model import Block, Section, Step, Steps, Text
from hybrid_bridge.cli.report.recompute import recomputed
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.cli.report.tokens import documents, tokens


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
    if case.bundle is not None and case.bundle.renewals:
        yield Text(t("commands.renewals"))
    named = documents(case, t)
    if named:
        yield Text(t("commands.documents"))
        yield _steps(named, t)
    yield Text(t("commands.cannot"))


def _steps(steps: list[Step], t: Words) -> Steps:
    numbered = tuple(replace(step, title=f"{number}. {step.title}") for number, step in enumerate(steps, start=1))
    return Steps(
        numbered,
        t("commands.value"),
        *(t(f"commands.{word}", where="{where}", stated="{stated}") for word in ("equals", "differs")),
    )


def script(sections: tuple[Section, ...]) -> str:
    """All commands of a report as they stand in it, each after its title and what it prints."""
    lines = [f"# The file is {shell.BUNDLE} in this folder. Each command prints what stands above it."]
    for block in (block for section in sections for block in section.blocks):
        if isinstance(block, Steps):
            for step in block.steps:
                lines += ["", f"# {step.title}", f"# {block.label}: {step.value}"]
                lines += [f"# {block.compared(step)}"] if step.stated else []
                lines += [step.command]
    return "\n".join(lines) + "\n"
