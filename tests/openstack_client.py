"""The real client, ``openstack database …``, as people type it. A call takes 2 to 3 s of CPU."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CLIENT_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get('PATH', '')])


#: Ends what a command of a session said.
MARK = '--- end of command ---'


class OpenStackClient:
    """Runs ``openstack`` against an endpoint.

    :param endpoint: URL of the API, down to the project
    :param login: OS_ variables of the environment; no authentication when not given
    """

    def __init__(self, endpoint: str, login: Mapping[str, str] | None = None) -> None:
        self.endpoint = endpoint
        self.login = dict(login or {'OS_AUTH_TYPE': 'none'})

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it, whatever comes of it."""
        client = shutil.which('openstack', path=CLIENT_PATH)
        assert client, 'python-openstackclient is not installed'
        return subprocess.run(
            [client, '--os-endpoint', self.endpoint, *arguments],
            env={k: v for k, v in os.environ.items() if not k.startswith('OS_')} | self.login,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def __call__(self, *arguments: str) -> str:
        """Run it and answer what it printed.

        :raises AssertionError: when it failed, with all that it said
        """
        done = self.run(*arguments)
        assert done.returncode == 0, f'{arguments}: {done.stdout}\n{done.stderr}'
        return done.stdout

    def session(self, *commands: str) -> list[str]:
        """Run commands one after another in one client, which reads them from its input.

        Answers what each said, on either output: many take no longer than one.
        """
        client = shutil.which('openstack', path=CLIENT_PATH)
        assert client, 'python-openstackclient is not installed'
        marked = ''.join(f'{command}\n!echo {MARK}\n' for command in commands)
        done = subprocess.run(
            [client],
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith('OS_')},
                **self.login,
                'OS_ENDPOINT': self.endpoint,
            },
            input=marked,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100 + 10 * len(commands),
            check=False,
        )
        *said, _ = done.stdout.split(MARK)
        assert len(said) == len(commands), done.stdout
        return [text.strip() for text in said]

    def json(self, *arguments: str) -> Any:
        """Run it with ``-f json``."""
        return json.loads(self(*arguments, '-f', 'json'))
