"""The files that put this into containers name only commands, options, files and ports that there are."""

import re
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from hybrid_bridge.cli.consortium import ENGINE_PORTS
from tests.commands import parsed
from tests.engines import PINS, ROOT

CONTAINERFILE = ROOT / "infra" / "containers" / "Containerfile"
COMPOSE = ROOT / "infra" / "compose"
HOME = "/var/lib/hybrid-bridge"


def stages() -> list[str]:
    return re.split(r"^FROM ", CONTAINERFILE.read_text("utf-8"), flags=re.MULTILINE)[1:]


def compose() -> dict[str, Any]:
    found = yaml.safe_load((COMPOSE / "compose.yaml").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


# ── the image ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_image_is_made_of_files_that_are_there_and_of_all_that_the_wheel_holds() -> None:
    copied = {
        word
        for words in re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE.read_text("utf-8"), re.MULTILINE)
        for word in words.split()
    }
    assert [name for name in copied if not (ROOT / name).exists()] == []
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert copied >= {*wheel["packages"], *wheel["force-include"], "infra/requirements.lock", "pyproject.toml"}
    kept = (CONTAINERFILE.parent / "Containerfile.dockerignore").read_text("utf-8").splitlines()
    assert {line[1:] for line in kept if line.startswith("!")} == copied


def test_what_is_installed_is_pinned_and_no_host_is_named() -> None:
    text = CONTAINERFILE.read_text("utf-8")
    assert "--require-hashes" in text
    assert "cometbft@${COMETBFT}" in text
    assert PINS["COMETBFT"] not in text, "infra/versions.env alone says which"
    assert not re.search(r"https?://|\.io/|\.org/", text)


def test_the_last_stage_has_no_compiler_no_source_and_no_root() -> None:
    last = stages()[-1]
    assert re.findall(r"^COPY (.*)$", last, re.MULTILINE) == [
        "--from=installed /opt/hybrid-bridge /opt/hybrid-bridge",
        "--from=engine /built/cometbft /opt/hybrid-bridge/bin/cometbft",
    ]
    assert not re.search(r"\b(pip|apt-get|go) ", last)
    assert re.findall(r"^USER (.*)$", last, re.MULTILINE) == ["10001:10001"]
    assert f"WORKDIR {HOME}" in last


# ── Compose ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_command_of_the_compose_file_is_one_that_our_own_programs_take() -> None:
    asked = {name: service["command"] for name, service in compose()["services"].items()}
    ours = [words for words in asked.values() if words[0] in ("hybrid-bridge", "hybrid-relayer")]
    assert len(ours) == 2 * 4
    for words in ours:
        parsed(words[0], words[1:])
    assert "/opt/hybrid-bridge/bin/cometbft" in asked["member-1-engine"]


def test_the_founding_is_one_that_our_own_program_takes() -> None:
    (line,) = re.findall(r"^ *hybrid-bridge (.+)$", (COMPOSE / "found.sh").read_text("utf-8"), re.MULTILINE)
    parsed("hybrid-bridge", line.split())
    with pytest.raises(click.UsageError):
        parsed("hybrid-bridge", [*line.split(), "--validators", "4"])


def test_node_and_engine_of_each_member_share_one_network_and_one_volume_and_nothing_with_others() -> None:
    """ADR 54: the engine's RPC asks nobody who they are."""
    services = compose()["services"]
    plan = tomllib.loads((COMPOSE / "plan.toml").read_text("utf-8"))
    names = [member["name"] for member in plan["members"]]
    assert len(names) == 4
    assert services.keys() == {"found", *(f"{name}{half}" for name in names for half in ("", "-node", "-engine"))}
    for name in names:
        for half in ("node", "engine"):
            service = services[f"{name}-{half}"]
            assert (service["network_mode"], service["volumes"]) == (f"service:{name}", [f"{name}:{HOME}"])
            assert (service["restart"], "ports" in service, "user" in service) == ("always", False, False)
        assert "volumes" not in services[name]
        assert f"{name}:/members/{name}" in services["found"]["volumes"]


def test_a_members_port_is_published_on_loopback_alone_and_its_engines_rpc_nowhere() -> None:
    services = compose()["services"]
    plan = tomllib.loads((COMPOSE / "plan.toml").read_text("utf-8"))
    for member in plan["members"]:
        host, _, port = member["endpoint"].rpartition(":")
        assert host == member["name"] == services[host]["hostname"]
        (published,) = services[host]["ports"]
        assert re.fullmatch(rf"127\.0\.0\.1:\d+:{port}", published)
        assert not {"engine", "engine_rpc"} & member.keys(), "the usual ports, RPC on loopback"
    assert not any(str(ENGINE_PORTS[1]) in str(service.get("ports")) for service in services.values())


def test_every_file_that_the_compose_file_mounts_is_there() -> None:
    found = compose()["services"]["found"]
    mounted = [Path(volume.split(":")[0]) for volume in found["volumes"] if volume.startswith("./")]
    assert [path for path in mounted if not (COMPOSE / path).exists()] == []
    context = (COMPOSE / found["build"]["context"]).resolve()
    assert (context, (context / found["build"]["dockerfile"]).exists()) == (ROOT, True)
    assert found["build"]["args"].keys() == {"COMETBFT"} <= PINS.keys()
