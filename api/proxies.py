"""Where links lead to when callers reach us through a proxy: what it says, if it is trusted."""

from wsgiref.types import WSGIApplication

from oslo_config import cfg
from oslo_middleware import http_proxy_to_wsgi


def behind(conf: cfg.ConfigOpts, app: WSGIApplication) -> WSGIApplication:
    """``app``, believing Forwarded and X-Forwarded-… only where the operator wants it.

    That is ``[oslo_middleware] enable_proxy_headers_parsing``, read once, here.

    :raises oslo_config.cfg.ConfigFileValueError: for a value that is neither true nor false.
    """
    conf.register_opts(http_proxy_to_wsgi.OPTS, group='oslo_middleware')
    if not conf.oslo_middleware.enable_proxy_headers_parsing:
        return app
    believing: WSGIApplication = http_proxy_to_wsgi.HTTPProxyToWSGI(app, conf)
    return believing
