"""The join loop against a model of a node, in simulated time."""

from guestagent.joining import Joiner, Pace, Peer, compare
from slotwright.domain import errors
from slotwright.domain.forming import DENSE_LIMIT
from slotwright.domain.slots import SlotRange
from slotwright.domain.topology import Address, parse_nodes
from tests import base

A, B, C = 'a' * 40, 'b' * 40, 'c' * 40
MEMBERS = {A: [[0, 8191]], B: [[8192, 16383]]}


def line(node_id, owned, flags='master'):
    return f'{node_id} 10.0.0.{ord(node_id[0])}:1@2 {flags} - 0 0 1 connected {owned}\n'


ME = line(A, '0-8191', 'myself,master')


class CompareTests(base.TestCase):
    def _compare(self, text):
        members = {A: (SlotRange(0, 8191),), B: (SlotRange(8192, 16383),)}
        return compare(parse_nodes(text), members)

    def test_complete(self):
        self.assertTrue(self._compare(ME + line(B, '8192-16383')).complete)

    def test_what_is_wrong(self):
        self.assertEqual({B}, self._compare(ME).missing)
        self.assertEqual({B}, self._compare(ME + line(B, '')).disagreeing)
        self.assertEqual({C}, self._compare(ME + line(B, '8192-16383') + line(C, '')).strangers)

    def test_handshake_and_failing_peers_unsettle(self):
        full = ME + line(B, '8192-16383')
        greeting = self._compare(full + line(C, '', 'handshake'))
        self.assertTrue(greeting.unsettled)
        self.assertFalse(greeting.strangers)
        for flags in ('master,fail?', 'master,fail'):
            self.assertFalse(self._compare(ME + line(B, '8192-16383', flags)).complete)


class ModelNode:
    """A node that knows B ``after`` some seconds and is ok once its delay is over."""

    def __init__(self, after=0.15, stranger=False):
        self.now = 0.0
        self.after = after
        self.stranger = stranger
        self.timeout = 15000
        self.commands = []

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds

    def run(self, *commands):
        self.now += 0.001
        self.commands += [(self.now, *c) for c in commands]
        return [self._answer(*map(str, c)) for c in commands]

    def ask(self, *command):
        return self.run(command)[0]

    def nodes(self):
        return parse_nodes(self.ask('CLUSTER', 'NODES'))

    def given(self, *words):
        return [c for c in self.commands if c[1 : len(words) + 1] == words]

    def _answer(self, *command):
        if command[:2] == ('CONFIG', 'SET'):
            self.timeout = int(command[3])
        known = self.now > self.after
        if command == ('CLUSTER', 'NODES'):
            text = ME + (line(B, '8192-16383') if known else '')
            return text + (line(C, '') if self.stranger else '')
        if command == ('CLUSTER', 'INFO'):
            ok = known and self.now > max(0.5, min(5000, self.timeout) / 1000)
            return (
                f'cluster_state:{"ok" if ok else "fail"}\r\n'
                f'cluster_known_nodes:{1 + known + self.stranger}\r\n'
                f'cluster_slots_assigned:{16384 if known else 8192}\r\n'
            )
        return 'OK'


class JoinerTests(base.TestCase):
    def _join(self, node, forming=True, patience=30.0, check=lambda: None, ready=0.0):
        joiner = Joiner(
            node=node,
            members=MEMBERS,
            forming=forming,
            clock=node.clock,
            sleep=node.sleep,
            check=check,
        )
        return joiner.run([Peer(B, Address('10.0.0.2', 1, 2))], patience, 0.0, ready)

    def test_forming_takes_the_smallest_rejoin_delay(self):
        node = ModelNode()
        self.assertTrue(self._join(node))
        self.assertLess(node.now, 0.56)
        self.assertEqual(15000, node.timeout)
        self.assertEqual(2, len(node.given('CLUSTER', 'MEET')))
        self.assertLess(len(node.commands), 30)

    def test_growing_never_touches_the_timeout_nor_a_slot(self):
        node = ModelNode()
        self.assertTrue(self._join(node, forming=False))
        self.assertFalse(node.given('CONFIG') + node.given('CLUSTER', 'SETSLOT'))

    def test_a_late_peer_is_met_again(self):
        node = ModelNode(after=3.0)
        self.assertTrue(self._join(node))
        self.assertGreater(len(node.given('CLUSTER', 'MEET')), 5)
        self.assertLess(node.now, 3.5)

    def test_gives_up_after_its_patience_and_puts_the_timeout_back(self):
        node = ModelNode(after=99.0)
        self.assertFalse(self._join(node, patience=2.0))
        self.assertLess(node.now, 2.5)
        self.assertTrue(node.given('CONFIG', 'SET', 'cluster-node-timeout', 500))
        self.assertEqual(15000, node.timeout)

    def test_a_stranger_ends_it_at_once(self):
        node = ModelNode(stranger=True)
        self.assertFalse(self._join(node))
        self.assertLess(node.now, 1.0)

    def test_a_newer_claim_ends_it_and_the_timeout_is_put_back(self):
        node = ModelNode(after=99.0)

        def check():
            if node.now > 1.0:
                raise errors.StaleEpoch('epoch 1 is older than 2')

        self.assertRaises(errors.StaleEpoch, self._join, node, check=check)
        self.assertLess(node.now, 1.3)
        self.assertEqual(15000, node.timeout)

    def test_nobody_looks_before_a_fresh_server_can_be_ok(self):
        node = ModelNode()
        self.assertTrue(self._join(node, ready=2.0))
        looks = [c for c in node.given('CLUSTER', 'INFO') if 0.5 < c[0] < 2.0]
        self.assertEqual([], looks)

    def test_the_timeout_grows_on_a_machine_that_is_too_busy(self):
        node = ModelNode(after=8.0)
        self.assertTrue(self._join(node))
        set_to = [c[4] for c in node.given('CONFIG', 'SET')]
        self.assertEqual([500, 1000, 2000, 15000], set_to)


class PaceTests(base.TestCase):
    def test_gossip_needs_a_short_timeout_above_the_dense_limit(self):
        self.assertEqual(15000, Pace.of(DENSE_LIMIT, True).timeout)
        self.assertEqual(1500, Pace.of(100, True).timeout)

    def test_pings_stay_affordable(self):
        for members in (3, 25, 50, DENSE_LIMIT, DENSE_LIMIT + 1, 100, 200):
            pace = Pace.of(members, True)
            for timeout in (pace.timeout, pace.repair):
                self.assertLess(members * members / (timeout / 2000), 13400)
