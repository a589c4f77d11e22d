"""The transport suite over the two transports that live in one process."""

import uuid

from tests.base import TestCase
from tests.contract.rpc_suite import RpcSuite


class LocalTest(RpcSuite, TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = f'local:///{uuid.uuid4()}'


class FakeTest(RpcSuite, TestCase):
    url = 'fake://'

    # fake:// knows no expiry, and one process of it has one set of queues.
    test_an_expired_call_is_not_run_later = None
    test_without_a_taskmanager_assignment_is_unavailable = None
