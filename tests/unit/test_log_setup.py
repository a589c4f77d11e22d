"""Log lines name their request and cluster, and stay out of secrets."""

import io
import logging
import uuid

import fixtures
from oslo_config import cfg
from oslo_context import context
from oslo_log import formatters

from slotwright import log
from tests import base


class LogTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.conf = cfg.ConfigOpts()
        log.register(self.conf)
        self.conf([])
        self.stream = io.StringIO()
        handler = logging.StreamHandler(self.stream)
        handler.setFormatter(formatters.ContextFormatter(config=self.conf))
        self.logger = logging.getLogger(f'test.{uuid.uuid4().hex}')
        self.logger.propagate = False
        self.logger.addHandler(handler)
        self.useFixture(fixtures.MonkeyPatch('oslo_context.context._request_store.context', None))

    def line(self) -> str:
        self.stream.truncate(0)
        self.stream.seek(0)
        self.logger.warning('something happened')
        return self.stream.getvalue()

    def test_a_line_names_request_and_cluster(self) -> None:
        with log.about('req-1', 'cluster-1'):
            self.assertIn('[req-1 cluster-1] something happened', self.line())

    def test_what_is_unknown_shows_as_a_dash(self) -> None:
        with log.about('', ''):
            self.assertIn('[- -] something happened', self.line())

    def test_without_a_context_a_line_is_a_line(self) -> None:
        self.assertIn('[-] something happened', self.line())

    def test_the_outer_names_come_back(self) -> None:
        with log.about('req-1', 'cluster-1'):
            with log.about('req-2', 'cluster-2'):
                self.assertIn('[req-2 cluster-2]', self.line())
            self.assertIn('[req-1 cluster-1]', self.line())
        self.assertNotIn('req-1', self.line())

    def test_a_context_of_a_library_does_no_harm(self) -> None:
        context.RequestContext(request_id='req-3', overwrite=True)
        self.assertIn('[req-3 ] something happened', self.line())

    def test_chatty_libraries_stay_quiet_in_debug_mode(self) -> None:
        levels = dict(pair.split('=') for pair in self.conf.default_log_levels)
        self.assertEqual('WARN', levels['kombu'])
        self.assertEqual('WARN', levels['amqp'])
        self.assertEqual('INFO', levels['oslo.messaging'])
