"""What a flavor of the management store means to the Trove API: a size with an id."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from slotwright.domain.clusters import Flavor
from slotwright.domain.errors import InvalidRequest
from slotwright.domain.pools import to_json

MOST = 2**31 - 1
#: Names of the sizes in a flavor's capabilities, with the least and the default of each. One
#: without ``ram`` sizes nothing: it only groups pools.
SIZES: Mapping[str, tuple[int, int, str]] = {
    'ram': (1, 0, 'MiB'),
    'vcpus': (1, 1, 'cores'),
    'disk': (0, 0, 'GiB'),
    'ephemeral': (0, 0, 'GiB'),
}
_FITS = re.compile(r'[A-Za-z0-9_-][A-Za-z0-9_.-]{0,35}')
_NAMESPACE = uuid.UUID('5f0c9c0e-4a0a-4f0e-9d55-7f1b1a2d3c4e')


def sizes_of(capabilities: Mapping[str, Any]) -> dict[str, int] | None:
    """ram (MiB), vcpus, disk and ephemeral (GiB); None when the flavor has no size.

    :raises InvalidRequest: for a size that is no whole number in its range.

    >>> sizes_of({'ram': 512, 'tier': 'gold'})
    {'ram': 512, 'vcpus': 1, 'disk': 0, 'ephemeral': 0}
    >>> sizes_of({'vcpus': 2}) is None
    True
    """
    found = {}
    for name, (least, default, unit) in SIZES.items():
        value = capabilities.get(name, default)
        if name in capabilities and (type(value) is not int or not least <= value <= MOST):
            raise InvalidRequest(
                f'{name} in capabilities is a whole number of {unit} from {least} to {MOST}.'
            )
        found[name] = value
    return found if found['ram'] else None


def check_capabilities(capabilities: Mapping[str, Any] | None) -> str:
    """The JSON object that is stored of a flavor's capabilities; {} for None.

    :raises InvalidRequest: unless JSON has words for all of it and the sizes are sizes.
    """
    text = to_json('capabilities', capabilities)
    sizes_of(capabilities or {})
    return text


def id_for(name: str, taken: Mapping[str, str] | None = None) -> str:
    """The id of a flavor that has none yet: its name, if that can stand in a URL.

    ``taken`` are ids by name of other flavors; a name that is one of those gives an id made
    of it, always the same.

    >>> id_for('large'), id_for('a b')
    ('large', '6da5230d-e40b-5968-bfd8-c380d7405501')
    """
    if _FITS.fullmatch(name) and name not in (taken or {}).values():
        return name
    return str(uuid.uuid5(_NAMESPACE, name))


def sized(found: Mapping[str, Mapping[str, Any]], ids: Mapping[str, str]) -> list[Flavor]:
    """The flavors of the Trove API, by id: of those in the store the ones with a size.

    :param found: capabilities by name.
    :param ids: ids given already, by name, also of flavors that are gone.
    """
    flavors = []
    for name, capabilities in found.items():
        try:
            sizes = sizes_of(capabilities)
        except InvalidRequest:  # stored by somebody else: nothing to be offered
            continue
        if sizes is not None:
            flavors.append(Flavor(ids.get(name) or id_for(name, ids), name, **sizes))
    return sorted(flavors, key=lambda flavor: flavor.id)
