"""Telling somebody: a webhook, a program, a mail. Each says once more what it could not say, at the next look.

A target may hold a key (a webhook's URL does): `file:PATH` names a file with it, and errors name the kind alone.
"""

import json
import shutil
import smtplib
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final

from hybrid_bridge.adapters.web.exchange import Service
from hybrid_bridge.cli.exits import plain
from hybrid_bridge.cli.options import url_of
from hybrid_bridge.cli.watch.memory import Notice
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.errors import AnswerMalformed, SettingsMalformed, TooLong, Unreachable

DEADLINE: Final = 30  # seconds, of a program or a mail server
OK: Final = range(200, 300)
MAX_LABEL: Final = 200  # characters of a program's path or an address
SMTP_PORT: Final = 25


@dataclass(frozen=True, slots=True)
class Target:
    """Who is told. `label` stands in the state and in errors, and has no secret in it."""

    label: str
    tell: Callable[[Notice, Mapping[str, str]], None]  # raises OSError, Unreachable, AnswerMalformed, TooLong


def target_of(text: str, smtp: str, sender: str) -> Target:
    """`webhook:URL`, `webhook:file:PATH`, `command:PROGRAM` or `email:ADDRESS`.

    Raises:
        SettingsMalformed: none of these; a mail without a server.
    """
    kind, _, where = text.partition(":")
    if kind == "webhook" and where:
        url = url_of(where, "--notify")
        service = Service("webhook", url)
        label = f"webhook {sha256(url.encode('utf-8')).hex()[:8]}"  # the URL may hold a key
        return Target(label, lambda notice, about: _post(service, notice, about))
    if kind == "command" and where:
        program = shutil.which(where)
        if program is None or len(program) > MAX_LABEL:
            raise SettingsMalformed(key="--notify", rule=f"command: a program that may be run: {where[:200]}")
        return Target(f"command {program}", lambda notice, about: _run(program, notice, about))
    if kind == "email" and "@" in where and len(where) <= MAX_LABEL:
        host, _, port = smtp.partition(":")
        if not host or not (port or "25").isdecimal():
            raise SettingsMalformed(key="--smtp", rule="HOST or HOST:PORT, if anybody is to get a mail")
        server, addresses = (host, int(port or SMTP_PORT)), (sender, where)
        _message(*addresses)
        return Target(f"email {where}", lambda notice, about: _mail(server, addresses, notice, about))
    raise SettingsMalformed(key="--notify", rule="webhook:URL, webhook:file:PATH, command:PROGRAM or email:ADDRESS")


def told(target: Target, notice: Notice, about: Mapping[str, str]) -> str:
    """Tell; what went wrong, or nothing."""
    try:
        target.tell(notice, about)
    except (OSError, subprocess.SubprocessError, smtplib.SMTPException) as error:
        return f"{target.label}: {type(error).__name__}"
    except (Unreachable, AnswerMalformed, TooLong) as error:
        return f"{target.label}: {error}"
    return ""


def _body(notice: Notice, about: Mapping[str, str]) -> bytes:
    return json.dumps({**about, **notice.to_json()}, sort_keys=True).encode("utf-8")


def _post(service: Service, notice: Notice, about: Mapping[str, str]) -> None:
    answer = service.post("", _body(notice, about), {"Content-Type": "application/json"})
    if answer.status not in OK:
        raise AnswerMalformed(endpoint=service.name, call="POST", rule=f"HTTP 2xx, not {answer.status}")


def _run(program: str, notice: Notice, about: Mapping[str, str]) -> None:
    words = [program, notice.what, notice.finding.severity, notice.finding.kind]
    subprocess.run(  # noqa: S603 the owner's own program; the words are of a fixed list
        words, input=_body(notice, about), check=True, timeout=DEADLINE, stdout=subprocess.DEVNULL
    )


def _message(sender: str, to: str) -> EmailMessage:
    message = EmailMessage()
    try:
        message["From"], message["To"] = sender, to
        complete = bool(message["To"].addresses[0].domain and message["From"].addresses[0].domain)
    except (ValueError, IndexError):
        complete = False
    if not complete:
        raise SettingsMalformed(key="--notify", rule="email:ADDRESS, and --mail-from an address")
    return message


def _mail(server: tuple[str, int], addresses: tuple[str, str], notice: Notice, about: Mapping[str, str]) -> None:
    message = _message(*addresses)
    found = notice.finding
    subject = f"[hybrid-bridge] {notice.what}: {found.severity}, {found.kind} ({found.about})"
    message["Subject"] = plain(subject)[:200]
    lines = [*(f"{name}: {value}" for name, value in about.items()), "", found.detail, "", f"→ {found.next_step}"]
    message.set_content("\n".join([*lines, *([f"evidence: {notice.evidence}"] if notice.evidence else [])]))
    with smtplib.SMTP(*server, timeout=DEADLINE) as connection:
        connection.send_message(message)
