"""Waiting for reports."""

import threading

from taskmanager.service import ReportWaiter
from tests.base import TestCase

FOREVER = 60.0


class ReportWaiterTests(TestCase):
    def waits(self, waiter: ReportWaiter) -> threading.Thread:
        thread = threading.Thread(target=waiter.wait, args=(FOREVER,), daemon=True)
        thread.start()
        return thread

    def test_a_report_ends_all_waits(self):
        waiter = ReportWaiter()
        threads = [self.waits(waiter) for _ in range(3)]
        waiter.notify()
        for thread in threads:
            thread.join(FOREVER / 2)
            self.assertFalse(thread.is_alive())

    def test_a_report_between_two_waits_of_a_thread_ends_the_second(self):
        waiter = ReportWaiter()

        def operation() -> None:
            waiter.wait(0.0)
            waiter.notify()  # while it looks at its nodes
            waiter.wait(FOREVER)

        thread = threading.Thread(target=operation, daemon=True)
        thread.start()
        thread.join(FOREVER / 2)
        self.assertFalse(thread.is_alive())
