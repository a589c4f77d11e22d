"""Agents and servers that die, return, or meet another one."""

import json
import os
import signal
import subprocess
import sys
import threading

from guestagent.directory import DirectoryInUse
from slotwright.domain import errors
from tests.functional.guest_lab import Guest, GuestCase, alive
from tests.guarded import PATIENCE, wait_until


class AdoptionTests(GuestCase):
    def test_a_killed_agent_leaves_redis_and_the_next_one_adopts_it(self):
        guest = Guest(self.directory())
        self.addCleanup(guest.destroy)
        command = [sys.executable, '-m', 'tests.functional.guest_process']
        first = subprocess.Popen(
            [*command, guest.directory, guest.address.ip, str(guest.address.port)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(first.stdout.close)
        pid = int(first.stdout.readline())
        # A second agent on the directory gives way.
        self.assertRaises(DirectoryInUse, guest.start)
        first.kill()
        first.wait()
        self.assertTrue(alive(pid))
        self.assertEqual(pid, os.getsid(pid))

        guest.start()
        guest.taskmanager.wait_for(running=True)
        self.assertEqual(pid, guest.pid)
        self.assertTrue(guest.status().prepared)
        os.kill(pid, signal.SIGKILL)  # not our child: watched all the same
        wait_until(lambda: guest.restarted(pid), 'redis-server is back')

    def test_without_its_record_redis_is_found_by_its_directory(self):
        (guest,) = self.prepared()
        pid = guest.pid
        guest.stop()
        os.unlink(os.path.join(guest.directory, 'redis.proc'))
        guest.start()
        guest.taskmanager.wait_for(running=True)
        self.assertEqual(pid, guest.pid)

    def test_a_recycled_pid_is_not_ours(self):
        (guest,) = self.prepared()
        guest.do('stop', wipe=False)
        guest.stop()
        bystander = subprocess.Popen(['sleep', '600'])
        self.addCleanup(bystander.wait)
        self.addCleanup(bystander.kill)
        record = {'pid': bystander.pid, 'start_time': 1, 'binary': 'x', 'version': '7'}
        with open(os.path.join(guest.directory, 'redis.proc'), 'w') as file:
            json.dump(record, file)
        guest.start()
        guest.prepare()
        self.assertNotEqual(bystander.pid, guest.pid)
        guest.do('stop', wipe=False)
        self.assertIsNone(bystander.poll())


class DamageTests(GuestCase):
    """An agent that cannot read what it knew."""

    def damaged(self, *also_gone):
        (guest,) = self.prepared()
        pid = guest.pid
        guest.stop()
        with open(os.path.join(guest.directory, 'agent.json'), 'w') as file:
            file.write('{"epoch": 7, "spec": {"secr')
        for name in also_gone:
            os.unlink(os.path.join(guest.directory, name))
        self.addCleanup(self._put_away, guest)
        return guest.start(), pid

    def _put_away(self, guest):
        """No command does: it is not wanted any more."""
        guest.taskmanager.wanted = False
        service = guest.service
        if service is not None:
            service.wait(PATIENCE)
            guest.stop()

    def test_it_keeps_its_hands_off_redis_and_says_why(self):
        guest, pid = self.damaged()
        guest.taskmanager.wait_for(running=True)
        self.assertIn('agent.json is damaged', guest.taskmanager.reports[-1]['fault'])
        guest.epoch += 1000
        for command, arguments in (
            ('status', {}),
            ('prepare', {'spec': {}}),
            ('stop', {'wipe': True}),
        ):
            self.assertRaises(errors.StateDamaged, guest.do, command, **arguments)
        self.assertEqual(pid, guest.pid)

    def test_a_redis_that_ends_is_not_started_again(self):
        guest, pid = self.damaged()
        guest.taskmanager.wait_for(running=True)
        os.kill(pid, signal.SIGKILL)
        guest.taskmanager.wait_for(running=False)

    def test_it_is_put_away_with_its_instance(self):
        for also_gone in ((), ('redis.proc',)):
            guest, pid = self.damaged(*also_gone)
            guest.taskmanager.wait_for(running=True)
            guest.taskmanager.wanted = False
            guest.taskmanager.wait_for(wiped=True)
            self.assertFalse(alive(pid))
            guest.stop()
            self.assertFalse(os.path.exists(guest.directory))


class DeathTests(GuestCase):
    def test_a_dead_redis_is_started_again_up_to_the_limit(self):
        guest = self.guest(restart_limit=2, restart_window=600.0)
        guest.prepare()
        node_id = guest.node_id
        for _ in range(2):
            pid = guest.pid
            os.kill(pid, signal.SIGKILL)
            guest.taskmanager.wait_for(running=True)
            wait_until(lambda pid=pid: guest.restarted(pid), 'it is back')
            self.assertEqual(node_id, guest.node_id)
        os.kill(guest.pid, signal.SIGKILL)
        guest.taskmanager.wait_for(running=False)
        self.assertFalse(guest.status().running)
        guest.prepare()  # asked for: counts anew
        self.assertEqual(node_id, guest.node_id)

    def test_leaves_no_zombie(self):
        (guest,) = self.prepared()
        for wipe in (False, True):
            guest.prepare()
            pid = guest.pid
            guest.do('stop', wipe=wipe)
            self.assertFalse(os.path.exists(f'/proc/{pid}'))


class AssignmentTests(GuestCase):
    def test_not_wanted_any_more_is_wiped_and_reported(self):
        (guest,) = self.prepared()
        pid = guest.pid
        guest.stop()
        guest.taskmanager.wanted = False
        guest.start()
        self.assertTrue(guest.service.wait(PATIENCE))
        self.assertEqual([], os.listdir(guest.directory))
        self.assertFalse(alive(pid))
        self.assertEqual(
            (True, False),
            (guest.taskmanager.reports[-1]['wiped'], guest.taskmanager.reports[-1]['running']),
        )

    def test_given_up_while_its_agent_runs_it_is_wiped_too(self):
        (guest,) = self.prepared()
        pid = guest.pid
        guest.taskmanager.wanted = False
        self.assertTrue(guest.service.wait(PATIENCE))
        self.assertFalse(alive(pid))
        self.assertTrue(guest.taskmanager.reports[-1]['wiped'])
        guest.stop()
        self.assertFalse(os.path.exists(guest.directory))

    def test_a_taskmanager_that_knows_nothing_of_it_leaves_things_as_they_are(self):
        """It may look into another database, or into an old copy."""
        (guest,) = self.prepared()
        pid = guest.pid
        guest.taskmanager.wait_for(running=True)
        guest.taskmanager.forgetful = True
        guest.taskmanager.wait_for(running=True)
        guest.stop()
        guest.start()
        self.assertFalse(guest.service.wait(2))
        self.assertTrue(alive(pid))
        self.assertTrue(os.path.exists(guest.directory))

    def test_nobody_to_ask_leaves_things_as_they_are(self):
        running, stopped = self.prepared(2)
        pid, other = running.pid, stopped.pid
        for guest in (running, stopped):
            guest.stop()
            guest.taskmanager.away = True
        os.kill(other, signal.SIGKILL)
        wait_until(lambda: not alive(other), 'killed')
        running.start()
        stopped.start()
        self.assertTrue(running.status().running)
        self.assertEqual(pid, running.pid)
        self.assertFalse(stopped.status().running)
        stopped.taskmanager.away = False
        stopped.taskmanager.wait_for(running=True)
        self.assertTrue(stopped.status().running)

    def test_reports(self):
        (guest,) = self.prepared()
        guest.taskmanager.wait_for(running=True, node_id=guest.node_id, wiped=False)
        report = guest.taskmanager.reports[-1]
        told = {'running', 'node_id', 'volume_used', 'wiped', 'fault'}
        self.assertEqual(told, report.keys() - {'gauges'})  # which are in some
        self.assertIsNone(report['fault'])


class FenceTests(GuestCase):
    def test_older_epochs_and_other_clusters_are_refused_also_after_a_restart(self):
        (guest,) = self.prepared()
        guest.do('status', guest.context(epoch=5))
        stale = guest.context(epoch=4)
        self.assertRaises(errors.StaleEpoch, guest.do, 'stop', stale, wipe=True)
        guest.stop()
        guest.start()
        self.assertRaises(errors.StaleEpoch, guest.do, 'stop', stale, wipe=True)
        self.assertRaises(errors.StaleEpoch, guest.do, 'status', stale)
        nobody = guest.context(epoch=None)
        self.assertRaises(errors.StaleEpoch, guest.do, 'stop', nobody, wipe=True)
        foreign = guest.context(epoch=9, cluster_id='another')
        self.assertRaises(errors.WrongCluster, guest.do, 'stop', foreign, wipe=True)
        self.assertTrue(guest.status().running)

    def test_a_repeated_command_gets_its_first_answer_also_after_a_restart(self):
        (guest,) = self.prepared()
        first = guest.context()
        self.assertEqual(guest.node_id, guest.do('retire', first))
        refused = guest.context()
        self.assertRaises(
            errors.CommandRefused, guest.do, 'cluster_addslots', refused, first_slot=1, last_slot=0
        )
        guest.stop()
        guest.start()
        guest.do('set_users', tenant_hash='')
        self.assertEqual(guest.node_id, guest.do('retire', first))
        self.assertFalse(guest.status().retired)  # it was not run again
        self.assertRaises(
            errors.CommandRefused, guest.do, 'cluster_addslots', refused, first_slot=1, last_slot=2
        )

    def test_a_newer_claim_ends_a_long_join_while_status_is_answered(self):
        guests = self.prepared(2)
        guests[0].do('cluster_addslots', first_slot=0, last_slot=16383)
        members = {guests[0].node_id: [[0, 16383]], '0' * 40: []}  # who never comes
        answers = []
        started = threading.Event()

        def join():
            started.set()
            answers.extend(self.join(guests[:1], members, patience=300.0))

        joining = threading.Thread(target=join)
        joining.start()
        started.wait()
        wait_until(lambda: guests[0].status().forming, 'the join has begun')
        guests[0].do('status', guests[0].context(epoch=2))
        joining.join()
        self.assertIsInstance(answers[0], errors.StaleEpoch)
        self.assertFalse(guests[0].status().forming)
