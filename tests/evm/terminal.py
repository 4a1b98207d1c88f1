"""`hybrid-bridge contract …` in this process, against one chain over HTTP, with one gas key in a file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from hybrid_bridge.adapters.evm.devnet import Devnet, DevnetSettings
from hybrid_bridge.cli.contract import command
from hybrid_bridge.units import Address, UnixSeconds, Wei
from tests.evm.chains import NOW


class User:
    """A folder with a gas key."""

    url: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.password = folder / "password"
        self.password.touch(mode=0o600)
        self.password.write_text("secret\n")
        self.key = folder / "gas.json"
        answer = json.loads(self.run("key", "--out", self.key, *self.with_password, "--json").output)
        self.address = Address(bytes.fromhex(answer["address"][2:]))
        self.deployments = folder / "deployments.json"

    @property
    def with_password(self) -> Sequence[object]:
        return "--password-file", self.password

    @property
    def paying(self) -> Sequence[object]:
        return "--rpc", self.url, "--key", self.key, *self.with_password, "--wait", "5"

    def run(self, *arguments: object, answer: str = "", refused: type[Exception] | None = None) -> Result:
        result = CliRunner().invoke(command, [str(part) for part in arguments], input=answer)
        if refused is None:
            assert result.exit_code == 0, (result.output, result.exception)
        else:
            assert isinstance(result.exception, refused), (result.output, result.exception)
        return result

    def json(self, *arguments: object) -> Any:
        return json.loads(self.run(*arguments, "--json").output)


class Terminal(User):
    """A user of a devnet of his own."""

    def __init__(self, folder: Path, funds: int = 10**19) -> None:
        super().__init__(folder)
        settings = DevnetSettings(period=0, automine=True, funds=((self.address, Wei(funds)),))
        self.now = NOW  # a test may let time pass
        self.devnet = Devnet(settings, lambda: UnixSeconds(self.now)).start()
        self.url = self.devnet.url
