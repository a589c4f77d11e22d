"""``slotwright demo``: a real Redis Cluster through the REST API, in a minute.

Starts a standalone on a data directory of its own, creates a cluster of three masters,
writes and reads keys with an ordinary cluster client, and shows what there is. On a
terminal it stays up until Ctrl-C; either way it takes everything away that it made.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

from redis.cluster import ClusterNode, RedisCluster

PROJECT = 'demo'
CLUSTER = 'demo'
MASTERS = 3
KEYS = 10_000
#: Keys written or read in one round trip.
BATCH = 500
URL_FILE = 'url'


class DemoFailed(Exception):
    """Something did not come true; the message says what and where to look."""


class Api:
    """The few requests a demo needs, as a user's own program would make them."""

    def __init__(self, url: str) -> None:
        self.endpoint = f'{url}/v1.0/{PROJECT}'

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.endpoint + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={'Content-Type': 'application/json'},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b'null')
        except urllib.error.HTTPError as error:
            raise DemoFailed(f'{method} {path}: {error.code} {error.read().decode()}') from error


class Standalone:
    """A ``slotwright standalone`` process on a directory, which outlives nothing of ours."""

    def __init__(self, data_dir: str, port: int) -> None:
        self._log = os.path.join(data_dir, 'slotwright.log')
        self._url_file = os.path.join(data_dir, URL_FILE)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._url_file)
        command = [
            sys.executable, '-m', 'slotwright.cmd.cli', 'standalone',
            '--data-dir', data_dir, '--port', str(port), '--url-file', self._url_file,
            '--until-eof',
        ]  # fmt: skip
        with open(self._log, 'ab') as log:
            # In a session of its own: Ctrl-C is for the demo, which then ends this one. The
            # pipe ends it also when the demo is killed.
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )

    def url(self, timeout: float = 60) -> str:
        """Wait until the API listens and answer where."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(FileNotFoundError), open(self._url_file) as file:
                if url := file.read().strip():
                    return url
            time.sleep(0.05)
        raise DemoFailed(f'slotwright standalone does not start; see {self._log}')

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main(argv: Sequence[str]) -> int:
    """Run the demo; answers the exit code."""
    parser = argparse.ArgumentParser(prog='slotwright demo', description=__doc__)
    parser.add_argument('--data-dir', default='.demo', help='default: %(default)s')
    parser.add_argument('--port', type=int, default=8779, help='of the REST API; 0 takes any')
    parser.add_argument('--exit', action='store_true', help='clean up and exit also on a terminal')
    args = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    data_dir = os.path.abspath(args.data_dir)
    os.makedirs(data_dir, mode=0o700, exist_ok=True)
    standalone = Standalone(data_dir, args.port)
    cleaned = False
    try:
        api = Api(standalone.url())
        try:
            _show(api, data_dir)
            if sys.stdout.isatty() and sys.stdin.isatty() and not args.exit:
                _stay_up()
        finally:
            print('\nCleaning up: deleting the cluster and stopping Slotwright.')
            _delete_all(api)
            cleaned = True
    except KeyboardInterrupt:
        return 0 if cleaned else 130
    except DemoFailed as error:
        print(f'\nThe demo failed: {error}', file=sys.stderr)
        return 1
    finally:
        standalone.stop()
        if cleaned:
            shutil.rmtree(data_dir, ignore_errors=True)
            print('Nothing is left.')
    return 0


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _show(api: Api, data_dir: str) -> None:
    cluster = _create(api)
    user = api('POST', f'/clusters/{cluster["id"]}/root')['user']
    nodes = [i['address'].rsplit(':', 1) for i in cluster['instances']]
    client = RedisCluster(
        startup_nodes=[ClusterNode(ip, int(port)) for ip, port in nodes],
        password=user['password'],
    )
    with contextlib.closing(client):
        _write_and_read(client)
        _print_nodes(client, cluster)
    _print_next(api, cluster, user['password'], nodes[0], data_dir)


def _create(api: Api) -> Any:
    """Create the cluster, or find the one that an earlier demo left running."""
    found = [c for c in api('GET', '/clusters')['clusters'] if c['name'] == CLUSTER]
    started = time.monotonic()
    if found:
        print(f'Found the cluster of an earlier demo: {found[0]["id"]}')
        cluster_id = found[0]['id']
    else:
        print(f'POST {api.endpoint}/clusters  ({MASTERS} masters)')
        member = {'flavorRef': '1', 'volume': {'size': 1}}
        datastore = {'type': 'redis', 'version': '3.0'}
        body = {'name': CLUSTER, 'datastore': datastore, 'instances': [member] * MASTERS}
        cluster_id = api('POST', '/clusters', {'cluster': body})['cluster']['id']
    cluster = _wait(lambda: api('GET', f'/clusters/{cluster_id}')['cluster'], started)
    operation = cluster['operation']
    if operation['state'] != 'completed':
        raise DemoFailed(f'{operation["kind"]} {operation["state"]}: {operation["reason"]}')
    start, _ = _line_ends()
    print(f'{start}{"ACTIVE":>8}  after {time.monotonic() - started:.1f} s')
    return cluster


def _wait(look: Callable[[], Any], started: float, timeout: float = 120) -> Any:
    """Show progress until the cluster has no task."""
    shown = ''
    while time.monotonic() < started + timeout:
        cluster = look()
        if cluster['task']['name'] == 'NONE':
            return cluster
        operation = cluster['operation']
        progress = operation['progress']
        line = f'{progress["done"]:>2}/{progress["total"]:<2}  {progress["message"]}'
        if not progress['total']:
            line = 'accepted'
        if line != shown:
            shown = line
            start, end = _line_ends()
            print(f'{start}{cluster["task"]["name"]:>8}  {_shorten(line)}', end=end, flush=True)
        time.sleep(0.1)
    raise DemoFailed(f'the cluster is still {cluster["task"]["name"]}: {shown}')


def _line_ends() -> tuple[str, str]:
    """Start and end of a line of progress: written over on a terminal, kept elsewhere."""
    return ('\r\x1b[K', '') if sys.stdout.isatty() else ('', '\n')


def _shorten(line: str) -> str:
    width = shutil.get_terminal_size().columns - 12
    return line if len(line) <= width else line[: width - 1] + '…'


def _write_and_read(client: RedisCluster) -> None:
    started = time.monotonic()
    for first in range(0, KEYS, BATCH):
        with client.pipeline() as pipeline:
            for number in range(first, first + BATCH):
                pipeline.set(f'key:{number}', f'value:{number}')
            pipeline.execute()
    wrong = 0
    for first in range(0, KEYS, BATCH):
        with client.pipeline() as pipeline:
            for number in range(first, first + BATCH):
                pipeline.get(f'key:{number}')
            answers = pipeline.execute()
        for number, value in enumerate(answers, first):
            wrong += value not in (f'value:{number}', f'value:{number}'.encode())
    if wrong:
        raise DemoFailed(f'{wrong} of {KEYS} keys were not read back as written')
    print(f'{KEYS:,} keys written and read back in {time.monotonic() - started:.1f} s\n')


def _print_nodes(client: RedisCluster, cluster: Any) -> None:
    rows = [('NAME', 'STATUS', 'ADDRESS', 'SLOTS', 'KEYS')]
    owned: dict[str, list[str]] = {}
    shards: Any = client.cluster_slots()
    for (first, last), owners in shards.items():
        ip, port = owners['primary']
        owned.setdefault(f'{ip}:{port}', []).append(f'{first}-{last}')
    for instance in cluster['instances']:
        ip, _, port = instance['address'].rpartition(':')
        node = client.get_node(ip, int(port))
        keys = client.dbsize(target_nodes=node)
        slots = ','.join(owned.get(instance['address'], []))
        rows.append((instance['name'], instance['status'], instance['address'], slots, f'{keys:,}'))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print('  '.join(text.ljust(width) for text, width in zip(row, widths, strict=True)))


def _print_next(api: Api, cluster: Any, password: str, node: Sequence[str], data_dir: str) -> None:
    ip, port = node
    print(f"""
Go on with
  export OS_AUTH_TYPE=none OS_ENDPOINT={api.endpoint}
  openstack database cluster list
  openstack database cluster list instances {cluster['name']}
  openstack database cluster grow {cluster['name']} --instance flavor=1,volume=1
  curl -s {api.endpoint}/clusters/{cluster['id']}
  REDISCLI_AUTH={password} redis-cli -c -h {ip} -p {port} get key:1
(`pip install python-openstackclient python-troveclient` gives you openstack.)

The log is in {os.path.join(data_dir, 'slotwright.log')}
The Redis servers outlive Slotwright; if this demo is killed, `make demo` finds them again.""")


def _stay_up() -> None:
    print('\nEverything stays up until you press Ctrl-C, which stops and removes it all.')
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


def _delete_all(api: Api) -> None:
    """Delete every cluster of the demo and wait until they are gone."""
    deadline = time.monotonic() + 120
    while clusters := api('GET', '/clusters')['clusters']:
        for cluster in clusters:
            if cluster['task']['name'] == 'NONE':
                api('DELETE', f'/clusters/{cluster["id"]}')
        if time.monotonic() > deadline:
            raise DemoFailed('the clusters are still there; try again with `make demo EXIT=1`')
        time.sleep(0.2)
