"""Who calls."""

from dataclasses import dataclass

#: In place of projects: all of them.
EVERY = '*'

ADMIN = 'admin'


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller that was let in.

    ``projects`` are the ids it may name in a URL, or ``EVERY``.
    """

    user: str
    projects: frozenset[str]
    roles: frozenset[str]

    def may_enter(self, project_id: str) -> bool:
        """Whether it may speak for this project: its own, or any for an administrator."""
        return bool({EVERY, project_id} & self.projects) or ADMIN in self.roles

    @property
    def home(self) -> str:
        """The project that it means where none is named: its only one, else its own name."""
        one = len(self.projects) == 1 and EVERY not in self.projects
        return next(iter(self.projects)) if one else self.user

    def credentials(self, project_id: str | None) -> dict[str, object]:
        """What oslo.policy looks at, in a request about ``project_id`` or about none.

        An administrator from outside the project is no owner of what is in it.
        """
        owned = {EVERY, project_id} & self.projects
        return {
            'user_id': self.user,
            'project_id': project_id if owned else None,
            'roles': sorted(self.roles),
        }
