"""Seed 000's tables, held against the keys of a Redis database as they lie there."""

import redis

#: The one key outside the seed's: flavor by pool.
FLAVOR_OF = 'slotwright:flavor-of-pool'


def dump(client: 'redis.Redis[str]') -> dict[str, object]:
    """Every key and what is in it: hashes as dicts, sorted sets as lists of members."""
    found: dict[str, object] = {}
    for key in sorted(client.keys('*')):
        kind = client.type(key)
        if kind == 'hash':
            found[key] = client.hgetall(key)
        elif kind == 'zset':
            found[key] = [member for member, _ in client.zrange(key, 0, -1, withscores=True)]
        else:
            found[key] = kind
    return found


def faults(client: 'redis.Redis[str]') -> list[str]:
    """Whatever is not as the hashes of pools, flavors and the catalogue say it must be.

    All keys of the database have to be the store's.
    """
    found = dump(client)
    wanted: dict[str, object] = {}

    def add(index: str, member: str) -> None:
        members = wanted.setdefault(index, [])
        assert isinstance(members, list)
        members.append(member)

    flavor_of = found.get(FLAVOR_OF, {})
    assert isinstance(flavor_of, dict)
    if flavor_of:
        wanted[FLAVOR_OF] = flavor_of
    for key, fields in found.items():
        if not isinstance(fields, dict) or key == FLAVOR_OF:
            continue
        wanted[key] = fields
        if set(fields) == {'p', 'u', 'w', 'o'} and key == f'{fields["p"]}.pools':
            add('pools', fields['p'])
        elif set(fields) == {'f', 'p', 'c'} and key == f'{fields["f"]}.flavors':
            add('flavors', fields['f'])
            add(f'{fields["p"]}.flavors', fields['f'])
        elif set(fields) == {'p', 'p_q', 'p_p'}:
            entry = f'{fields["p"]}.{fields["p_q"]}'
            if key == f'{entry}.catalogue':
                add('catalogue', entry)
                add(f'{fields["p"]}.catalogue', entry)
        else:
            wanted.pop(key)
    for pool, flavor in flavor_of.items():
        add(f'{flavor}.pools', pool)
        if f'{pool}.pools' not in wanted:
            wanted[f'{pool}.pools'] = 'the pool of the reverse index'
    for members in wanted.values():
        if isinstance(members, list):
            members.sort(key=str.encode)
    return [
        f'{key}: {found.get(key)!r} where {wanted.get(key)!r} belongs'
        for key in sorted(found.keys() | wanted.keys())
        if found.get(key) != wanted.get(key)
    ]
