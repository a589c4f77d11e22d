"""/healthcheck: whether this daemon can serve requests now."""

import falcon

from api.ports import Store


class Healthcheck:
    def __init__(self, store: Store) -> None:
        self._store = store

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """200 when the database answers; its error becomes a 503."""
        self._store.list_flavors()
        resp.media = {'status': 'OK'}
