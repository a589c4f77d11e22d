"""[storage]: where clients, actions, jobs, sessions and backups are kept."""

from oslo_config import cfg

GROUP = 'storage'

OPTS = [
    cfg.StrOpt(
        'backend',
        default='sqlalchemy',
        help='The kind of storage of backup clients, actions, jobs, sessions and backups. '
        'sqlalchemy, a relational database, is the only one.',
    ),
    cfg.StrOpt(
        'driver',
        default='sqlalchemy',
        help='What keeps them: sqlalchemy, in the database of [database]; or the dotted path of '
        'a class of your own with from_config(conf), which makes a '
        'slotwright.storage.backups.BackupStore.',
    ),
]
