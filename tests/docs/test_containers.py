"""The files that put this into containers name only commands, options, files and ports that there are."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from hybrid_bridge.cli.consortium import ENGINE_PORTS
from hybrid_bridge.node.settings import read_settings
from tests.commands import parsed
from tests.engines import PINS, ROOT

CONTAINERFILE = ROOT / "infra" / "containers" / "Containerfile"
COMPOSE = ROOT / "infra" / "compose"
HOME = "/var/lib/hybrid-bridge"
CHART = ROOT / "infra" / "helm" / "hybrid-bridge-member"


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


def test_the_lock_with_extras_has_all_of_them_and_differs_from_the_other_in_nothing_else() -> None:
    def pinned(name: str) -> dict[str, str]:
        lines = (ROOT / "infra" / name).read_text("utf-8").splitlines()
        return dict(re.match(r"([A-Za-z0-9._-]+)==(\S+)", line).groups() for line in lines if line[:1].isalnum())  # type: ignore[union-attr]

    base, whole = pinned("requirements.lock"), pinned("requirements-extras.lock")
    assert base.items() <= whole.items()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    asked = {re.split(r"[<>=\[]", wish)[0] for wishes in extras.values() for wish in wishes}
    assert asked <= whole.keys() - base.keys()


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


def shell(script: str, folder: Path, **places: str) -> subprocess.CompletedProcess[str]:
    """Run a script of ours with its absolute places put into this folder; `chown` is told and does nothing."""
    for place in places.values():
        script = script.replace(place, f"{folder}{place}")
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "chown").write_text("#!/bin/sh\n", "utf-8")
    (programs / "chown").chmod(0o755)
    environment = os.environ | {"PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = ["/bin/sh", "-c", script]
    return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=120)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the service `found` leaves, once."""
    folder = tmp_path_factory.mktemp("founded")
    for name in ("consortium", *(f"members/member-{number}" for number in range(1, 5))):
        (folder / name).mkdir(parents=True)
    (folder / "plan.toml").write_bytes((COMPOSE / "plan.toml").read_bytes())
    done = found(folder)
    assert done.returncode == 0, done.stderr
    return folder


def found(folder: Path) -> subprocess.CompletedProcess[str]:
    script = (COMPOSE / "found.sh").read_text("utf-8")
    return shell(script, folder, consortium="/consortium/", plan="/plan.toml", members="/members/")


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
            assert service["restart"] == "always"
            assert not {"ports", "user", "depends_on"} & service.keys()
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


def test_founding_gives_each_member_its_own_folder_and_keeps_no_second_copy(founded: Path) -> None:
    assert list((founded / "consortium" / "founded" / "nodes").iterdir()) == []
    for number in range(1, 5):
        (folder,) = (founded / "members" / f"member-{number}").iterdir()
        settings = read_settings(folder)
        assert (folder.name, settings.name) == ("member", f"member-{number}")
        assert (settings.listen, settings.engine_rpc) == (f"member-{number}:7000", "127.0.0.1:26657")


def test_founding_again_changes_nothing(founded: Path) -> None:
    guard = founded / "members" / "member-1" / "member" / "guard.db"
    before = guard.stat()
    stale = founded / "consortium" / "founded" / "nodes" / "member-1"
    stale.mkdir()  # cut off after the folder was given and before the copy was removed
    (stale / "guard.db").write_bytes(b"of yesterday")
    assert found(founded).returncode == 0
    assert (guard.stat(), stale.exists()) == (before, False)


# ── the chart ────────────────────────────────────────────────────────────────────────────────────────────────────────


def templates() -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in (CHART / "templates").iterdir()}


def unpacking() -> str:
    """The script of the member's init container, with the usual ports."""
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    shared = re.search(r'define "member.unpack" -}}\n(.*?){{- end', templates()["_parts.tpl"], re.DOTALL)
    own = re.search(r'include "member.unpack".*?\n(.*?)\n +securityContext', templates()["member.yaml"], re.DOTALL)
    assert shared is not None
    assert own is not None
    script = shared[1] + own[1]
    for name, port in values["ports"].items():
        script = script.replace("{{ .Values.ports." + name + " }}", str(port))
    assert "{{" not in script
    return script


def unpack(folder: Path) -> None:
    done = shell(unpacking(), folder, home=HOME, founded="/founded/")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def volume(founded: Path, tmp_path: Path) -> Path:
    """An empty volume and a Secret with the folder of member-1; what the volume's folder will be."""
    (tmp_path / "founded").mkdir()
    (tmp_path / HOME[1:]).mkdir(parents=True)
    member = founded / "members" / "member-1" / "member"
    packed = ["tar", "--create", "--gzip", "--file", tmp_path / "founded" / "folder.tgz", "--directory", member, "."]
    subprocess.run(packed, check=True)
    return tmp_path / HOME[1:] / "folder"


def test_an_empty_volume_gets_the_folder_which_then_listens_in_a_pod(volume: Path, tmp_path: Path) -> None:
    unpack(tmp_path)
    settings = read_settings(volume)
    assert (settings.listen, settings.engine_rpc) == ("0.0.0.0:7000", "127.0.0.1:26657")
    engine = tomllib.loads((volume / "engine" / "config" / "config.toml").read_text("utf-8"))
    assert engine["p2p"]["laddr"] == f"tcp://0.0.0.0:{ENGINE_PORTS[0]}"
    assert engine["rpc"]["laddr"] == f"tcp://127.0.0.1:{ENGINE_PORTS[1]}"
    assert [path for path in (volume / "keys").iterdir() if path.stat().st_mode & 0o077] == []


def test_a_folder_that_is_there_is_never_written_over(volume: Path, tmp_path: Path) -> None:
    unpack(tmp_path)
    (volume / "guard.db").write_bytes(b"of today")
    unpack(tmp_path)
    assert (volume / "guard.db").read_bytes() == b"of today"


def test_once_unpacked_the_secret_may_go_and_without_both_nothing_starts(volume: Path, tmp_path: Path) -> None:
    unpack(tmp_path)
    (tmp_path / "founded" / "folder.tgz").unlink()
    unpack(tmp_path)
    shutil.rmtree(volume)
    done = shell(unpacking(), tmp_path, home=HOME, founded="/founded/")
    assert (done.returncode, volume.exists()) == (2, False)
    assert "folder.tgz" in done.stderr


def test_an_unpacking_that_was_cut_off_leaves_nothing_half(volume: Path, tmp_path: Path) -> None:
    half = volume.with_name("unpacked")
    half.mkdir()
    (half / "node.toml").write_text("half", "utf-8")
    unpack(tmp_path)
    assert read_settings(volume).name == "member-1"
    assert not half.exists()


def test_each_command_of_the_chart_is_one_that_our_own_programs_take() -> None:
    asked = re.findall(r"command: \[(hybrid-[^\]]*)\]", "".join(templates().values()))
    assert len(asked) == 3
    for line in asked:
        program, *words = line.split(", ")
        parsed(program, words)


def test_the_schema_knows_the_values_and_no_others() -> None:
    def compare(schema: dict[str, Any], value: object, definitions: dict[str, Any]) -> None:
        name = schema.get("$ref", "").rpartition("/")[2]
        schema = definitions.get(name, schema)
        if isinstance(value, dict) and "properties" in schema:
            assert schema["additionalProperties"] is False
            assert value.keys() == set(schema["required"]) == schema["properties"].keys() - {"global"}
            for key, inner in value.items():
                compare(schema["properties"][key], inner, definitions)

    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    compare(schema, yaml.safe_load((CHART / "values.yaml").read_text("utf-8")), schema["definitions"])


def test_every_value_that_a_template_asks_for_is_there() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    asked = set(re.findall(r"\.Values\.([\w.]+)", "".join(templates().values())))
    assert len(asked) >= 10
    for path in asked:
        found_value: Any = values
        for name in path.split("."):
            found_value = found_value[name]


def test_a_member_is_never_two_pods_and_each_pod_is_restricted() -> None:
    """Two nodes with one key would sign two histories; the Pod Security Standards' `restricted`."""
    member, relayer, parts = (templates()[name] for name in ("member.yaml", "relayer.yaml", "_parts.tpl"))
    assert re.findall(r"replicas: (.*)", member + relayer) == ["1", "1"]
    assert "strategy: { type: Recreate }" in relayer
    for text in (member, relayer):
        images, secured = text.count("image: {{ .Values.image"), text.count('include "member.security"')
        assert images == secured
        assert text.count('include "member.podSecurity"') == 1
    for line in (
        "runAsNonRoot: true",
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "drop: [ALL]",
    ):
        assert line in parts
