"""`contract names`: the texts behind a set's name hashes, shown to the contract, where everybody finds them."""

from collections.abc import Sequence
from pathlib import Path

import click

from hybrid_bridge.adapters.evm.calls import names_calldata
from hybrid_bridge.adapters.evm.keepers import published
from hybrid_bridge.cli.contract.sending import (
    AS_JSON,
    ENTRIES,
    FILE,
    LOG,
    MAX_RECORD,
    PAYING,
    WHERE,
    Paying,
    Where,
    act,
    head_json,
    head_text,
    log_option,
    options,
    registered,
    say,
    tell,
)
from hybrid_bridge.cli.exits import plain
from hybrid_bridge.cli.keeping import NAMES, openings_of
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.core.validators import ValidatorSet, name_text
from hybrid_bridge.errors import Missing
from hybrid_bridge.units import PublicBlockNumber


@click.command("names")
@options(WHERE, LOG, ENTRIES, PAYING, AS_JSON)
@click.option("--names", "name_files", type=FILE, multiple=True, required=True, help=NAMES)
@click.option(
    "--from-block", "since", default=0, show_default=True, type=click.IntRange(0), help="Look for names from here on."
)
def names(
    where: Where,
    log_hex: str,
    entries: Path,
    paying: Paying,
    as_json: bool,
    name_files: Sequence[Path],
    since: int,
) -> None:
    """Publish who the validators are: then `hybrid-bridge members` needs no file to name them.

    Anybody may: the contract takes no text but the one behind a validator's name hash. Nobody can take it back. What
    stands there already is not paid for again.
    """
    chain, log_id = where.chain(), log_option(log_hex)
    at = chain.latest()
    head = registered(chain, log_id, at)
    validators = ValidatorSet.decode_entries(head.set_id, read_bounded(entries, MAX_RECORD))
    opened = openings_of(name_files, log_id).names([validators])
    known = [(entry, opened[entry.name_hash]) for entry in validators.entries if entry.name_hash in opened]
    if not known:
        raise Missing(what="the name of one of these validators, in the files of --names")
    stand = {text for _, text in published(chain, log_id, PublicBlockNumber(since), at)}
    texts = {entry.address: name_text(claim.legal_id, claim.name) for entry, claim in known}
    new = {address: text for address, text in texts.items() if text.encode() not in stand}
    if not new:
        say({"done_before": True, "head": head_json(head)}, f"done before; now {head_text(head)}", as_json)
        return
    lines = [f"PUBLISH, for everybody and for good, the names of {len(new)} of {len(validators.entries)} validators:"]
    lines += [f"  0x{e.address.hex()}  {plain(c.name)} ({plain(c.legal_id)})" for e, c in known if e.address in new]
    data = names_calldata(log_id, validators.encode_entries(), [new.get(e.address, "") for e in validators.entries])
    tell(chain, log_id, act(chain, paying, data, lines), lines, as_json=as_json)
