"""Commands in the documentation do what they are there for."""

import argparse
import re
import shlex
from importlib.metadata import entry_points
from pathlib import Path

from slotwright.rpc.contract import TASKMANAGER_TOPIC
from tests.base import TestCase

TEXTS = [page.read_text('utf-8') for page in (Path(__file__).parents[2] / 'doc').glob('*.md')]
# A line of its own, as in a shell.
CLIENT = re.compile(r'^(?:\$ )?openstack (messaging [^#&\n]+)', re.MULTILINE)
#: Which queues RabbitMQ is to drop.
POLICY = re.compile(r"rabbitmqctl set_policy [a-z-]+ '([^']+)'")
CURL = re.compile(r"curl [^\n`]+ -d '[^\n`]*")
VERB = 3  # words: messaging, a noun and a verb


def takes(line: str) -> bool:
    """Whether the real client knows the command and its arguments."""
    words = shlex.split(line)
    (command,) = entry_points(group='openstack.messaging.v2', name='_'.join(words[:VERB]))
    parser: argparse.ArgumentParser = command.load()(None, None).get_parser(line)
    try:
        parser.parse_args(words[VERB:])
    except SystemExit:
        return False
    return True


class CommandsTest(TestCase):
    def test_the_client_takes_them(self) -> None:
        found = [line for text in TEXTS for line in CLIENT.findall(text)]
        self.assertGreater(len(found), 3)
        self.assertEqual([], [line for line in found if not takes(line)])

    def test_only_queues_of_single_taskmanagers_expire(self) -> None:
        (pattern,) = {found for text in TEXTS for found in POLICY.findall(text)}
        for name in ('taskmanager.rack-1:12:77ab', 'taskmanager.db.example:1:c031'):
            self.assertRegex(name, pattern)
        for name in (TASKMANAGER_TOPIC, f'{TASKMANAGER_TOPIC}_fanout_34e2', 'guestagent.40be'):
            self.assertNotRegex(name, pattern)

    def test_what_curl_sends_is_declared_as_json(self) -> None:
        found = [line for text in TEXTS for line in CURL.findall(text)]
        self.assertGreater(len(found), 1)
        self.assertEqual(
            [], [line for line in found if 'Content-Type: application/json' not in line]
        )
