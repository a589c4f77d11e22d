"""``slotwright standalone`` as a process, on a directory of its own."""

from collections.abc import Mapping
from pathlib import Path

import fixtures

from tests import processes
from tests.deployment import CLI, FAST, READY, HttpApi, loopback_network, render
from tests.guarded import Process, wait_until


class Standalone(fixtures.Fixture):
    """Started, and to be started again after ``process`` was ended.

    What it leaves running goes on until the fixture is cleaned up.

    :param options: options by section, over ``FAST``
    """

    def __init__(self, options: Mapping[str, Mapping[str, object]] | None = None) -> None:
        super().__init__()
        self.options = dict(options or {})

    def _setUp(self) -> None:
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.data_dir = self.directory / 'data'
        self.config = self.directory / 'slotwright.conf'
        self._local = {'local': {'network': loopback_network()}}
        self.configure()
        self._url_file = self.directory / 'url'
        self.start()

    def configure(self) -> None:
        """Write ``options`` into the configuration, for the next start."""
        self.config.write_text(render(self._local, FAST, self.options))

    @property
    def database(self) -> str:
        """The URL of its database."""
        return f'sqlite:///{self.data_dir}/slotwright.sqlite'

    def command(self) -> list[str]:
        return [
            *CLI, 'standalone', '--config-file', str(self.config),
            '--data-dir', str(self.data_dir), '--port', '0', '--url-file', str(self._url_file),
        ]  # fmt: skip

    def start(self) -> None:
        """Start it and wait until the API listens."""
        self._url_file.unlink(missing_ok=True)
        self.process = self.useFixture(Process(self.command(), linger=True))
        wait_until(
            lambda: self._url_file.exists() or not self.process.is_running(),
            'standalone to listen',
            READY,
        )
        self.url = self._url_file.read_text().strip()
        self.api = HttpApi(self.url)

    def end(self, signum: int) -> None:
        """Send a signal that ends it, and wait for the end."""
        self.process.signal(signum)
        self.process.wait()

    def redis_servers(self) -> dict[str, int]:
        """The pids of all redis-servers that run on its instances, by instance id."""
        return processes.redis_servers(self.data_dir / 'instances')
