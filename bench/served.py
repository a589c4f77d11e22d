"""The server process of ``bench.listing``: our API, or a bare Falcon application.

    python -m bench.served slotwright DATABASE_URL
    python -m bench.served basic DATABASE_URL    (the same with logins, see USER)
    python -m bench.served bare FILE_WITH_JSON

Writes the URL it listens at, and serves until it is ended.
"""

import json
import sys
import tempfile
import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

import falcon
from oslo_config import cfg

from api import wiring
from api.auth import userfile
from api.server import ApiServer
from slotwright import conf as options
from slotwright.rpc.contract import CommandContext
from slotwright.storage.sqlalchemy.pool_store import SQLAlchemyPoolStore
from slotwright.storage.sqlalchemy.store import SQLAlchemyStore

USER, PASSWORD = 'bench', 'a password to bench with'


class Sink:
    """A taskmanager that takes wake-ups and does nothing."""

    def create_cluster(self, context: CommandContext, cluster_id: str) -> None:
        """Only the API's own work is measured."""


class Answer:
    """Answers every GET with the same data, put into JSON each time."""

    def __init__(self, data: object) -> None:
        self._data = data

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **_: str) -> None:
        resp.media = self._data


def ours(
    store: SQLAlchemyStore, executor: Executor, user_file: str | None = None
) -> WSGIApplication:
    """The API on a store, with its options as they come, or with logins."""
    conf = options.register(cfg.ConfigOpts())
    conf([], project='slotwright', default_config_files=[], default_config_dirs=[])
    if user_file:
        conf.set_override('auth_strategy', 'http_basic', 'api')
        conf.set_override('user_file', user_file, 'api')
    return wiring.build(conf, store, SQLAlchemyPoolStore(store.database), Sink(), None, executor)  # type: ignore[arg-type]


def bare(data: object) -> WSGIApplication:
    """What Falcon costs without anything of ours."""
    app: falcon.App[Any, Any] = falcon.App()
    for path in ('clusters', 'clusters/{cluster_id}'):
        app.add_route(f'/v1.0/{{tenant_id}}/{path}', Answer(data))
    return app


def main(kind: str, source: str) -> None:
    if kind == 'bare':
        app = bare(json.loads(Path(source).read_text()))
    else:
        users = None
        if kind == 'basic':
            users = str(Path(tempfile.mkdtemp(), 'users'))
            userfile.put(users, USER, '*', 'member', PASSWORD)
        app = ours(SQLAlchemyStore.connect(source), ThreadPoolExecutor(1), users)
    server = ApiServer(app, '127.0.0.1', 0, 8)
    server.start()
    print(server.url, flush=True)
    threading.Event().wait()


if __name__ == '__main__':
    main(*sys.argv[1:])
