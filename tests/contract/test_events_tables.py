"""Tables: what every driver does, as long as nothing fails."""

import concurrent.futures
import re
from pathlib import Path
from typing import Any

import redis

from slotwright.events.errors import NotJson, RowExists, RowNotFound, StoreUnavailable
from slotwright.events.redis.driver import OneServerDriver
from tests.contract import events_case
from tests.contract.events_case import EventsCase, Heard

PAGE = Path(__file__).parents[2] / 'doc/events.md'
ODD = ('a', 'a.b', 'b.c', '{a}', 'a}b', ':', 'a:b', '*', '[a-c]', ' ', 'é', '\x00', 'x' * 300)


class Contract:
    def setUp(self) -> None:
        super().setUp()
        self.tables = self.driver().tables

    def test_a_row_from_its_creation_to_its_end(self) -> None:
        tables, table = self.tables, self.name
        self.assertRaises(RowNotFound, tables.get, table, 'k')
        self.assertRaises(RowNotFound, tables.set, table, 'k', 1)
        self.assertRaises(RowNotFound, tables.delete, table, 'k')
        tables.create(table, 'k', {'n': 1})
        self.assertRaises(RowExists, tables.create, table, 'k', {'n': 2})
        self.assertEqual({'n': 1}, tables.get(table, 'k'))
        tables.set(table, 'k', {'n': 3})
        tables.set(table, 'k', {'n': 3})
        self.assertEqual({'n': 3}, tables.get(table, 'k'))
        tables.delete(table, 'k')
        self.assertRaises(RowNotFound, tables.get, table, 'k')
        self.assertRaises(RowNotFound, tables.delete, table, 'k')
        tables.create(table, 'k', 4)
        self.assertEqual(4, tables.get(table, 'k'))

    def test_values(self) -> None:
        for number, value in enumerate(
            (None, True, 0, -1.5, 2**70, '', 'é\u2028"\\\x00', [], [1, [2]], {'': {'a': None}})
        ):
            self.tables.create(self.name, f'k{number}', value)
            self.assertEqual(value, self.tables.get(self.name, f'k{number}'))

    def test_what_is_read_is_the_readers_own(self) -> None:
        value = {'list': [1]}
        self.tables.create(self.name, 'k', value)
        value['list'].append(2)
        self.tables.get(self.name, 'k')['list'].append(3)
        self.assertEqual({'list': [1]}, self.tables.get(self.name, 'k'))

    def test_lists_by_table_and_topic(self) -> None:
        tables, table = self.tables, self.name
        self.assertEqual(([], []), (tables.keys(table), tables.values(table, 't')))
        for topic, key in (('', 'a'), ('t', 'a'), ('t', 'b'), ('u', 'c')):
            tables.create(table, key, topic + key, topic)
        tables.create(f'{table}2', 'a', 'other')
        self.assertEqual(['a', 'a', 'b', 'c'], sorted(tables.keys(table)))
        self.assertEqual(['a', 'ta', 'tb', 'uc'], sorted(tables.values(table)))
        self.assertEqual(['a'], tables.keys(table, ''))
        self.assertEqual(['a', 'b'], sorted(tables.keys(table, 't')))
        self.assertEqual(['ta', 'tb'], sorted(tables.values(table, 't')))
        tables.delete(table, 'c', 'u')
        tables.delete(table, 'a', 't')
        self.assertEqual(['a', 'b'], sorted(tables.keys(table)))
        self.assertEqual([], tables.values(table, 'u'))

    def test_no_two_names_are_one(self) -> None:
        rows = [
            (f'{self.name}{table}', topic, key)
            for table in ODD
            for topic in ('', *ODD)
            for key in ODD[:4]
        ]
        for row in rows:
            self.tables.create(row[0], row[2], list(row), row[1])
        for row in rows:
            self.assertEqual(list(row), self.tables.get(row[0], row[2], row[1]))
        for table in ODD:
            self.assertEqual(4 * (len(ODD) + 1), len(self.tables.keys(f'{self.name}{table}')))
            self.assertEqual(4, len(self.tables.values(f'{self.name}{table}', table)))

    def test_what_is_no_name_and_no_json(self) -> None:
        tables, table = self.tables, self.name
        bad: Any
        for bad in ('', '\ud800', None, 1, b'a'):
            self.assertRaises(NotJson, tables.create, bad, 'k', 1)
            self.assertRaises(NotJson, tables.get, table, bad)
            self.assertRaises(NotJson, tables.keys, bad)
            self.assertRaises(NotJson, tables.allocate, bad)
        self.assertRaises(NotJson, tables.create, table, 'k', 1, '\ud800')
        self.assertRaises(NotJson, tables.values, table, '\ud800')
        loop: list[Any] = []
        loop.append(loop)
        for bad in (float('nan'), float('inf'), object(), {1, 2}, b'x', '\ud800', loop):
            self.assertRaises(NotJson, tables.create, table, 'k', bad)
        self.assertEqual([], tables.keys(table))

    def test_of_many_who_create_a_row_one_does(self) -> None:
        def create(number: int) -> bool:
            try:
                self.tables.create(self.name, 'k', number)
            except RowExists:
                return False
            return True

        with concurrent.futures.ThreadPoolExecutor(8) as executor:
            made = list(executor.map(create, range(40)))
        self.assertEqual(1, made.count(True))
        self.assertEqual(made.index(True), self.tables.get(self.name, 'k'))

    def test_numbers_are_given_once(self) -> None:
        with concurrent.futures.ThreadPoolExecutor(8) as executor:
            given = list(executor.map(self.tables.allocate, [self.name] * 100))
        self.assertEqual(list(range(1, 101)), sorted(given))
        self.assertEqual(1, self.tables.allocate(f'{self.name}2'))


class MemoryTest(Contract, EventsCase):
    backend_class = events_case.Memory


class SingleTest(Contract, EventsCase):
    backend_class = events_case.Single

    def test_a_user_with_no_more_than_the_rights_it_needs(self) -> None:
        found = re.search(r'ACL SETUSER (.*?)```', PAGE.read_text('utf-8'), re.S)
        assert found
        (place,) = self.backend.places
        with redis.Redis(port=place.server.port) as client:
            rule = found[1].replace('PASSWORD', 'x').split()
            client.execute_command('ACL', 'SETUSER', *rule)
            client.script_flush()
        events = OneServerDriver.at(f'redis://slotwright:x@127.0.0.1:{place.proxy.port}')
        self.addCleanup(events.close)
        tables, table, heard = events.tables, self.name, Heard()
        tables.create(table, 'k', 1)
        tables.set(table, 'k', 2)
        self.assertEqual((['k'], [2]), (tables.keys(table), tables.values(table, '')))
        place.proxy.lose_answers(b'lost', 3)
        self.assertRaises(StoreUnavailable, tables.create, table, 'lost', 1)
        tables.delete(table, 'k')
        self.assertEqual(([], 1), (tables.keys(table), tables.allocate(table)))
        sub = events.subscriber(heard)
        sub.subscribe(table, heard)
        events.publisher().publish(table, 1)
        self.assertEqual([1], heard.wait_for(1))
        sub.unsubscribe(table)


class ClusterTest(Contract, EventsCase):
    backend_class = events_case.Clustered

    def test_tables_are_spread_and_a_slot_that_moves_is_followed(self) -> None:
        owners = {self.backend.owner(f'{self.name}{n}').server.port for n in range(50)}
        self.assertEqual(3, len(owners))
        self.tables.create(self.name, 'k', 1)
        source = self.backend.owner(self.name)
        target = next(
            place
            for place in self.backend.places
            if place is not source and 'master' in place.ask('ROLE')
        )
        slot = source.ask('CLUSTER', 'KEYSLOT', f'{{{self.name}}}')
        ids = {place: place.ask('CLUSTER', 'MYID') for place in (source, target)}
        target.ask('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[source])
        source.ask('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[target])
        keys = source.ask('CLUSTER', 'GETKEYSINSLOT', slot, 100)
        self.assertEqual(2, len(keys))
        source.ask('MIGRATE', '127.0.0.1', target.server.port, '', 0, 5000, 'KEYS', *keys)
        self.assertEqual(1, self.tables.get(self.name, 'k'))  # ASK
        self.tables.set(self.name, 'k', 2)
        for place in (target, source):
            place.ask('CLUSTER', 'SETSLOT', slot, 'NODE', ids[target])
        self.assertEqual(2, self.tables.get(self.name, 'k'))  # MOVED
        self.tables.delete(self.name, 'k')
        self.assertEqual([], self.tables.keys(self.name))
