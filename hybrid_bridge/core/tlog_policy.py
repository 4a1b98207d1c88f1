"""Which witnesses count, and how many: the text of C2SP tlog-policy, read strictly. Source: SPEC §11, §13.

A policy is the verifier's own. A name is bound to one key, defined before it is used, and a member of one group at
most, so no witness can count twice and no group can contain itself.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from hybrid_bridge.core.note import TYPE_COSIGNATURE, TYPE_ED25519, TYPE_MLDSA, VerifierKey, parse_vkey
from hybrid_bridge.core.proof import as_text
from hybrid_bridge.errors import FieldMalformed, TooLong

MAX_POLICY: Final = 1 << 16  # characters
MAX_NAMES: Final = 256  # logs, witnesses and groups together
NONE: Final = "none"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_GAP: Final = re.compile(r"[ \t]+")  # these two alone are white space
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class Group:
    """At least `threshold` of these witnesses and groups."""

    threshold: int
    members: tuple[str, ...]


Node: TypeAlias = VerifierKey | Group


@dataclass(frozen=True, slots=True)
class Policy:
    """Known logs (none: any), witnesses and groups by name in the order of the text, and the name that must be met."""

    logs: tuple[VerifierKey, ...]
    nodes: Mapping[str, Node]
    quorum: str
    urls: Mapping[str, str] = field(default_factory=dict)  # where a witness is asked, if the text says so

    @property
    def witnesses(self) -> Mapping[str, VerifierKey]:
        """Every witness, by the name the policy gives it."""
        return {name: node for name, node in self.nodes.items() if isinstance(node, VerifierKey)}

    def is_met(self, cosigned: Collection[str]) -> bool:
        """Whether the quorum is met when the witnesses of these names have cosigned one checkpoint."""
        met = {NONE: True}
        for name, node in self.nodes.items():  # members stand before their group
            if isinstance(node, VerifierKey):
                met[name] = name in cosigned
            else:
                met[name] = sum(met[member] for member in node.members) >= node.threshold
        return met[self.quorum]


def parse_policy(text: str) -> Policy:
    """Read a policy.

    Raises:
        TooLong: more text or more names than a reader can be asked to hold.
        FieldMalformed, NotCanonical: no policy; the field names the line.
    """
    text = as_text(text, "tlog_policy")
    if len(text) > MAX_POLICY:
        raise TooLong(field="tlog_policy", limit=MAX_POLICY, got=len(text))
    if _CONTROL.search(text) or (text and not text.endswith("\n")):
        raise FieldMalformed(field="tlog_policy", rule="lines that end with a line feed, no control character but tab")
    reader = _Reader()
    for number, line in enumerate(text.split("\n"), start=1):
        items = [item for item in _GAP.split(line) if item]
        if items and not items[0].startswith("#"):
            reader.read(items, f"tlog_policy line {number}")
    return reader.policy()


class _Reader:
    """What was defined so far."""

    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.nodes: dict[str, Node] = {}
        self.members: set[str] = set()
        self.urls: dict[str, str] = {}
        self.quorum: str | None = None

    def read(self, items: list[str], field: str) -> None:
        word, rest = items[0], items[1:]
        if word == "log" and len(rest) in (1, 2):
            self._log(rest[0], field)
        elif word == "witness" and len(rest) in (2, 3):
            self._witness(rest[0], rest[1], field)
            self.urls |= dict(zip(rest[:1], rest[2:], strict=False))
        elif word == "group" and len(rest) >= 3:
            self._group(rest[0], rest[1], rest[2:], field)
        elif word == "quorum" and len(rest) == 1 and self.quorum is None and rest[0] in {NONE, *self.nodes}:
            self.quorum = rest[0]
        else:
            raise FieldMalformed(field=field, rule="log, witness, group, or one quorum of a name defined before")
        if len(self.logs) + len(self.nodes) > MAX_NAMES:
            raise TooLong(field=field, limit=MAX_NAMES, got=len(self.logs) + len(self.nodes))

    def policy(self) -> Policy:
        if self.quorum is None:
            raise FieldMalformed(field="tlog_policy", rule="exactly one quorum line")
        return Policy(tuple(self.logs), self.nodes, self.quorum, self.urls)

    def _log(self, text: str, field: str) -> None:
        key = _key(text, (TYPE_ED25519, TYPE_MLDSA), field)
        _require(key.key not in [log.key for log in self.logs], field, "each log key once")
        self.logs.append(key)

    def _witness(self, name: str, text: str, field: str) -> None:
        key = _key(text, (TYPE_COSIGNATURE, TYPE_MLDSA), field)
        known = [node.key for node in self.nodes.values() if isinstance(node, VerifierKey)]
        _require(key.key not in known, field, "each witness key once")
        self._define(name, key, field)

    def _group(self, name: str, threshold: str, members: list[str], field: str) -> None:
        for member in members:
            _require(member in self.nodes, field, "members defined before")
            _require(member not in self.members, field, "each name a member once")
            self.members.add(member)
        needed = {"all": len(members), "any": 1}.get(threshold, 0)
        if _NUMBER.fullmatch(threshold):
            needed = int(threshold)
        _require(1 <= needed <= len(members), field, "all, any, or a number from 1 to that of the members")
        self._define(name, Group(needed, tuple(members)), field)

    def _define(self, name: str, node: Node, field: str) -> None:
        _require(name != NONE and name not in self.nodes, field, "each name once, and not the name none")
        self.nodes[name] = node


def _key(text: str, kinds: tuple[bytes, ...], field: str) -> VerifierKey:
    key = parse_vkey(text)
    _require(key.kind in kinds, field, "a key of the type that logs or witnesses have")
    return key


def _require(fact: bool, field: str, rule: str) -> None:  # noqa: FBT001 a fact is no flag
    if not fact:
        raise FieldMalformed(field=field, rule=rule)
