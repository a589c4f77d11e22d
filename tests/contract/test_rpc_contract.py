"""The RPC contract is spoken by all, and does not change under its version number."""

import ast
import hashlib
import inspect

from guestagent.endpoint import GuestAgentEndpoint
from slotwright.rpc import contract
from slotwright.rpc.clients import GuestNode, TaskManagerClient
from slotwright.rpc.server import OFFERS
from taskmanager.endpoint import TaskManagerEndpoint
from tests.base import TestCase
from tests.contract.protocols import assert_speaks, signatures

#: (version, fingerprint) of each topic. A changed signature needs a new version number, and
#: both are changed here together.
FINGERPRINTS = {
    contract.TASKMANAGER_TOPIC: ('1.1', 'aef6a229ead83e90'),
    contract.GUESTAGENT_TOPIC: ('1.0', 'd7b6eb79280f6f5d'),
}


def fingerprint(api: type) -> str:
    """Hash of methods, arguments, annotations and defaults, and of the context's members."""
    (tree,) = ast.parse(inspect.getsource(api)).body
    assert isinstance(tree, ast.ClassDef)
    parts = [
        f'{method.name}({ast.unparse(method.args)}) -> {ast.unparse(method.returns)}'
        for method in tree.body
        if isinstance(method, ast.FunctionDef) and method.returns is not None
    ]
    parts.append(repr(sorted(contract.CommandContext().to_wire())))
    return hashlib.sha256('\n'.join(sorted(parts)).encode()).hexdigest()[:16]


class SpeakersTest(TestCase):
    def test_the_clients_speak_the_protocols(self) -> None:
        assert_speaks(self, TaskManagerClient, contract.TaskManagerAPI)
        assert_speaks(self, GuestNode, contract.GuestAgentAPI)

    def test_the_endpoints_speak_the_protocols(self) -> None:
        assert_speaks(self, TaskManagerEndpoint, contract.TaskManagerAPI)
        assert_speaks(self, GuestAgentEndpoint, contract.GuestAgentAPI)

    def test_the_seeds_six_keep_their_signatures(self) -> None:
        seed = {
            'get_node_ip': (),
            'get_node_id_for_removal': (),
            'remove_nodes': ('node_ids',),
            'cluster_meet': ('ip', 'port'),
            'cluster_addslots': ('first_slot', 'last_slot'),
            'cluster_complete': (),
        }
        found = signatures(contract.GuestAgentAPI)
        for name, arguments in seed.items():
            self.assertEqual(arguments, found[name])

    def test_a_missing_method_and_a_renamed_argument_are_noticed(self) -> None:
        class Half:
            def status(self, context: object) -> None: ...

        class Renamed(GuestNode):
            def stop(self, context: object, erase: bool) -> None: ...

        for spoken in (Half, Renamed):
            with self.assertRaises(AssertionError):
                assert_speaks(self, spoken, contract.GuestAgentAPI)


class FingerprintTest(TestCase):
    def test_the_contract_is_the_one_of_its_version(self) -> None:
        for topic, (protocol, version) in OFFERS.items():
            self.assertEqual(
                FINGERPRINTS[topic],
                (version, fingerprint(protocol)),
                f'the {topic} API changed: give it a new version, then note both here',
            )

    def test_a_context_survives_the_wire(self) -> None:
        context = contract.CommandContext('req-1', 'p', 'c', 7, 'cmd')
        self.assertEqual(context, contract.CommandContext.from_wire(context.to_wire()))
        self.assertEqual(contract.CommandContext(), contract.CommandContext.from_wire({}))
