"""Act 1: a consortium is founded, its members' nodes start. Light to import, so that they start at once."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from hybrid_bridge.cli.demo.cast import NODES, RELAYERS, founders, part_of
from hybrid_bridge.cli.demo.stage import Stage, free_ports, hybrid_bridge
from hybrid_bridge.cli.demo.telling import Narrator, number_word
from hybrid_bridge.node.directory import Directory, read_directory
from hybrid_bridge.node.engine_homes import EngineAddress
from hybrid_bridge.node.founding import Founder, Plan, found
from hybrid_bridge.node.laying import lay
from hybrid_bridge.units import Address, Seconds, UnixSeconds

ORIGIN: Final = "demo.example/receivables"
HEAD_START: Final = 4  # seconds until epoch 1 begins: nodes need them to start
GRACE: Final = Seconds(60)
BLOCK_INTERVAL: Final = 50  # milliseconds; here somebody waits for each transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """A consortium whose nodes run."""

    out: Path
    narrator: Narrator
    stage: Stage
    files: Mapping[str, bytes]  # of the data set
    directory: Directory
    endpoints: Mapping[str, str]

    @property
    def consortium(self) -> Path:
        """The members' folders."""
        return self.out / "consortium"


@dataclass(frozen=True, slots=True, kw_only=True)
class Play(Founded):
    """Everything the later acts need to know."""

    url: str
    contract: Address
    relayers: Mapping[Address, str]  # by the address of the gas key


def found_consortium(
    out: Path, narrator: Narrator, stage: Stage, files: Mapping[str, bytes], cadence: Seconds, engine: str | None
) -> Founded:
    """Keys, certificates, genesis record; then one process for each member, and its engine if there is a program."""
    narrator.say(
        "Companies that do not trust one another keep a ledger together; an outsider need not trust any of them."
    )
    narrator.say("All companies are TEST companies; processes, keys, signatures and the public chain's EVM are real.")
    narrator.chapter("A consortium is founded: four members and a regulator, each a process of its own")
    endpoints = dict(zip(NODES, (f"127.0.0.1:{port}" for port in free_ports(len(NODES))), strict=True))
    now = int(time.time())
    plan = Plan(
        origin=ORIGIN,
        genesis_time=UnixSeconds(now + HEAD_START),
        cadence=cadence,
        founders=_with_engines(founders(files, endpoints), wanted=engine is not None),
        relayers=RELAYERS,
        grace=GRACE,
        block_interval_ms=BLOCK_INTERVAL,
    )
    lay(found(plan, secrets.token_bytes, UnixSeconds(now)), out / "consortium")
    directory = read_directory(out / "consortium" / "nodes" / "core")
    for node in NODES:
        stage.start(node, hybrid_bridge("node", "run", "--dir", str(out / "consortium" / "nodes" / node)))
    for node in NODES if engine is not None else ():
        where = ("--dir", str(out / "consortium" / "nodes" / node))
        stage.start(f"{node}-engine", hybrid_bridge("node", "engine", *where, "--binary", str(engine)))
    founded = Founded(out=out, narrator=narrator, stage=stage, files=files, directory=directory, endpoints=endpoints)
    _tell(founded, cadence)
    return founded


def _with_engines(plain: tuple[Founder, ...], *, wanted: bool) -> tuple[Founder, ...]:
    """Each with addresses of an engine, if engines are wanted."""
    if not wanted:
        return plain
    ports = iter(free_ports(2 * len(plain)))
    return tuple(
        replace(founder, engine=EngineAddress(f"127.0.0.1:{next(ports)}", f"127.0.0.1:{next(ports)}"))
        for founder in plain
    )


def _tell(founded: Founded, cadence: Seconds) -> None:
    narrator, members = founded.narrator, founded.directory.members
    orderer = founded.directory.sequencer if founded.directory.engine is None else None
    parts = {member.name: part_of(member.name, orders=member is orderer) for member in members}
    rows = [(member.name, f"{member.legal_name}, {member.legal_id}: {parts[member.name]}") for member in members]
    narrator.table(rows, depth=1)
    narrator.good(
        f"{number_word(len(members))} processes with their own keys and SQLite databases talk gRPC under mutual TLS; "
        "an authority made on the spot certifies them"
    )
    if founded.directory.engine is not None:
        narrator.good(
            "a CometBFT engine beside each of them orders: fewer than a third of the validators may fail or lie"
        )
    narrator.good(
        f"log {founded.directory.log_id.hex()}: the hash of the genesis record, which fixes members and rules; "
        f"an epoch closes every {cadence} seconds"
    )
