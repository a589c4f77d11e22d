"""Any sequence of calls does to the management store what it does to three dicts."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from slotwright.domain.errors import (
    FlavorDoesNotExist,
    InvalidRequest,
    NameCollision,
    PoolDoesNotExist,
    PoolInUseByFlavor,
    QueueNotMapped,
)
from slotwright.domain.pools import CatalogueEntry, Pool, PoolFlavor
from tests.contract import management_case as case
from tests.contract.management_case import URI, outcome

#: Of pools, flavors, projects and queues alike, so that they collide.
NAMES = ['a', 'a.b', 'a-b', 'b', 'b.c', 'c']
MARKERS = [None, '', 'a-', 'a.', 'aa', 'z']


@dataclass
class Model:
    """The interface of the store, in the words of its documentation."""

    pools: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    flavors: dict[str, tuple[str | None, dict[str, int]]] = field(default_factory=dict)
    entries: dict[tuple[str | None, str], str] = field(default_factory=dict)

    def pool(self, name):
        weight, flavor = self.pools[name]
        return Pool(name, URI, weight, flavor)

    def flavor(self, name):
        project, capabilities = self.flavors[name]
        pools = [pool for pool in sorted(self.pools) if self.pools[pool][1] == name]
        return PoolFlavor(name, project, capabilities, tuple(pools))

    def create_pool(self, name, weight, flavor):
        used = {flavor for _, flavor in self.pools.values()} | self.flavors.keys()
        if name == flavor or name in used or flavor in self.pools:
            raise NameCollision
        self.pools[name] = (weight, flavor)

    def update_pool(self, name, weight, flavor):
        if weight is None and flavor is None:
            raise InvalidRequest
        if name == flavor:
            raise NameCollision
        if name not in self.pools:
            raise PoolDoesNotExist
        if flavor in self.pools:
            raise NameCollision
        old_weight, old_flavor = self.pools[name]
        self.pools[name] = (
            old_weight if weight is None else weight,
            old_flavor if flavor is None else flavor or None,
        )
        return self.pool(name)

    def delete_pool(self, name):
        if name in self.pools:
            flavor = self.pools[name][1]
            if flavor in self.flavors and self.flavor(flavor).pools == (name,):
                raise PoolInUseByFlavor
            del self.pools[name]

    def list_pools(self, marker, limit):
        names = [name for name in sorted(self.pools) if name > (marker or '')]
        return [self.pool(name) for name in names[: limit or None]]

    def _give(self, name, pools):
        for pool in self.pools if pools is not None else ():
            weight, flavor = self.pools[pool]
            if pool in pools:
                self.pools[pool] = (weight, name)
            elif flavor == name:
                self.pools[pool] = (weight, None)

    def create_flavor(self, name, project, ram, pools):
        owners = {project for project, _ in self.flavors.values()}
        if name == project or name in self.pools or name in owners or project in self.flavors:
            raise NameCollision
        if name in self.flavors and self.flavors[name][0] != project:
            raise NameCollision
        if not set(pools or ()) <= self.pools.keys():
            raise PoolDoesNotExist
        self.flavors[name] = (project, {'ram': ram})
        self._give(name, pools)

    def _is_flavor(self, name, project):
        return name in self.flavors and project in (None, self.flavors[name][0])

    def update_flavor(self, name, project, ram, pools):
        if ram is None and pools is None:
            raise InvalidRequest
        if not self._is_flavor(name, project):
            raise FlavorDoesNotExist
        if not set(pools or ()) <= self.pools.keys():
            raise PoolDoesNotExist
        if ram is not None:
            self.flavors[name] = (self.flavors[name][0], {'ram': ram})
        self._give(name, pools)
        return self.flavor(name)

    def delete_flavor(self, name, project, release):
        if self._is_flavor(name, project):
            if release:
                self._give(name, ())
            del self.flavors[name]

    def list_flavors(self, project, marker, limit):
        names = [
            name
            for name in sorted(self.flavors)
            if name > (marker or '') and self._is_flavor(name, project)
        ]
        return [self.flavor(name) for name in names[: limit or None]]

    def insert(self, project, queue, pool):
        if (project, queue) not in self.entries:
            entry = _joined(project, queue)
            for other_project, other_queue in self.entries:
                other = _joined(other_project, other_queue)
                if entry in (other, other_project) or project == other:
                    raise NameCollision
        self.entries[project, queue] = pool

    def update(self, project, queue, pool):
        if (project, queue) not in self.entries:
            raise QueueNotMapped
        self.entries[project, queue] = pool

    def delete(self, project, queue):
        self.entries.pop((project, queue), None)

    def entries_of(self, project):
        found = sorted((q, pool) for (owner, q), pool in self.entries.items() if owner == project)
        return [CatalogueEntry(project, queue, pool) for queue, pool in found]

    def drop(self, what):
        getattr(self, what).clear()


def _joined(project, queue):
    return f'{project or ""}.{queue}'


class Real:
    """The same calls on a store."""

    def __init__(self, store):
        self.store = store

    def create_pool(self, name, weight, flavor):
        self.store.pools.create(name, weight, URI, flavor)

    def update_pool(self, name, weight, flavor):
        return self.store.pools.update(name, weight=weight, flavor=flavor)

    def delete_pool(self, name):
        self.store.pools.delete(name)

    def list_pools(self, marker, limit):
        return list(self.store.pools.list(marker, limit))

    def create_flavor(self, name, project, ram, pools):
        self.store.flavors.create(name, project, {'ram': ram}, pools)

    def update_flavor(self, name, project, ram, pools):
        capabilities = None if ram is None else {'ram': ram}
        return self.store.flavors.update(name, project, capabilities=capabilities, pools=pools)

    def delete_flavor(self, name, project, release):
        self.store.flavors.delete(name, project, release=release)

    def list_flavors(self, project, marker, limit):
        return list(self.store.flavors.list(project, marker, limit))

    def insert(self, project, queue, pool):
        self.store.catalogue.insert(project, queue, pool)

    def update(self, project, queue, pool):
        self.store.catalogue.update(project, queue, pool)

    def delete(self, project, queue):
        self.store.catalogue.delete(project, queue)

    def entries_of(self, project):
        return list(self.store.catalogue.list(project))

    def drop(self, what):
        names = {'pools': 'pools', 'flavors': 'flavors', 'entries': 'catalogue'}
        getattr(self.store, names[what]).drop_all()


names = st.sampled_from(NAMES)
markers = st.sampled_from([*MARKERS, *NAMES])
limits = st.integers(0, 4)
projects = st.none() | names
rams = st.integers(1, 3)
pools = st.none() | st.lists(names, max_size=3)
CALLS = st.one_of(
    st.tuples(st.just('create_pool'), names, st.integers(0, 3), st.none() | names),
    st.tuples(st.just('update_pool'), names, st.none() | rams, projects | st.just('')),
    st.tuples(st.just('delete_pool'), names),
    st.tuples(st.just('list_pools'), markers, limits),
    st.tuples(st.just('create_flavor'), names, projects, rams, pools),
    st.tuples(st.just('update_flavor'), names, projects, st.none() | rams, pools),
    st.tuples(st.just('delete_flavor'), names, projects, st.booleans()),
    st.tuples(st.just('list_flavors'), projects, markers, limits),
    st.tuples(st.just('insert'), projects, names, names),
    st.tuples(st.just('update'), projects, names, names),
    st.tuples(st.just('delete'), projects, names),
    st.tuples(st.just('entries_of'), projects),
    st.tuples(st.just('drop'), st.sampled_from(['pools', 'flavors', 'entries'])),
)


def result(where, call):
    """What a call gave; of a refusal its kind, since words differ."""
    name, *arguments = call
    answer = outcome(lambda: getattr(where, name)(*arguments))
    return type(answer) if isinstance(answer, Exception) else answer


def state(where):
    return (
        where.list_pools(None, 0),
        where.list_flavors(None, None, 0),
        [where.entries_of(project) for project in (None, *NAMES)],
    )


class ModelCase(case.ManagementCase):
    timeout = 900  # the deep profile of hypothesis runs 5000 examples

    def check(self, calls):
        self.empty()
        model, real = Model(), Real(self.store)
        for call in calls:
            self.assertEqual(result(model, call), result(real, call), call)
        self.assertEqual(state(model), state(real))
        self.assertEqual([], self.backend.check(self.place))


def any_calls():
    """The test; hypothesis wants one of its own for each class."""

    @given(calls=st.lists(CALLS, min_size=5, max_size=25))
    def test_any_calls(self, calls):
        self.check(calls)

    return test_any_calls


class SQLiteTest(ModelCase):
    backend = case.SQLITE
    test_any_calls = any_calls()


class RedisTest(ModelCase):
    backend = case.REDIS
    test_any_calls = any_calls()


class ValkeyTest(ModelCase):
    backend = case.VALKEY
    test_any_calls = any_calls()
