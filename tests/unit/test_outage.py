"""That an outage is told once, and its end once."""

import logging

from slotwright.outage import Outage
from tests.base import TestCase


class OutageTest(TestCase):
    def test_each_is_told_once(self) -> None:
        outage = Outage(logging.getLogger('kept'), 'Nothing is kept now', 'It is kept again')
        outage.is_over()
        for _ in range(2):
            outage.goes_on('gone')
            outage.goes_on('still gone')
            outage.is_over()
            outage.is_over()
        told = [line.split(' kept ', 1)[1] for line in self.log.output.splitlines()]
        self.assertEqual(['Nothing is kept now: gone', 'It is kept again'] * 2, told)
