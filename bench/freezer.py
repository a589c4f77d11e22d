"""The server process of the real Freezer API, for ``bench.backups``.

    python -m bench.freezer DATABASE_URL

Writes the URL it listens at, and serves until it is ended. It is served by the HTTP server that
our API runs on, and nobody is asked who calls: what is measured is the application.
"""

import sys
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from cheroot import wsgi
from freezer_api.api.common import middleware
from freezer_api.cmd import api
from freezer_api.common import config
from freezer_api.db import manager

#: What Keystone's middleware would say of a caller.
TOLD = {
    'HTTP_X_IDENTITY_STATUS': 'Confirmed',
    'HTTP_X_USER_ID': 'bench',
    'HTTP_X_ROLES': 'member',
}


class FrontDoor:
    """WSGI middleware in place of Keystone's and paste's: whoever calls is a member of the project
    in the URL, and /v2 is where the application begins.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ['PATH_INFO'].removeprefix('/v2')
        project = path.split('/')[1]
        moved = {'SCRIPT_NAME': '/v2', 'PATH_INFO': path, 'HTTP_X_PROJECT_ID': project}
        return self._app({**environ, **TOLD, **moved}, start_response)


def theirs(database: str) -> WSGIApplication:
    """The application, on a database that it makes."""
    file = Path(tempfile.mkdtemp(), 'freezer-api.conf')
    file.write_text(
        f'[database]\nconnection = {database}\n'
        '[centralized_scheduler]\nenabled = false\n'
        '[DEFAULT]\ndefault_log_levels = freezer_api=WARNING\n'
    )
    config.parse_args(['--config-file', str(file)])
    manager.get_db_driver('sqlalchemy', backend='sqlalchemy').db_sync()
    return FrontDoor(middleware.ContextMiddleware(api.build_app_v2()))


def main(database: str) -> None:
    server = wsgi.Server(('127.0.0.1', 0), theirs(database), numthreads=8)
    server.prepare()
    print(f'http://127.0.0.1:{server.bind_addr[1]}', flush=True)
    threading.Thread(target=server.serve, daemon=True).start()
    threading.Event().wait()


if __name__ == '__main__':
    main(*sys.argv[1:])
