"""The test case all of ours are."""

import logging
from typing import ClassVar

import fixtures
import testtools


class TestCase(testtools.TestCase):
    """Bounded in time, with the log captured and shown only when the test fails."""

    timeout: ClassVar[int] = 300  # seconds; a class of slow tests raises it

    def setUp(self) -> None:
        super().setUp()
        # Gentle: raises in the test, so that its fixtures are still cleaned up.
        self.useFixture(fixtures.Timeout(self.timeout, gentle=True))
        self.log = self.useFixture(
            fixtures.FakeLogger(
                level=logging.DEBUG, format='%(asctime)s %(levelname)s %(name)s %(message)s'
            )
        )
