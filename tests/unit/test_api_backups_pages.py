"""Pages that are asked for by odd numbers."""

from tests.unit.backups_fixture import BackupsTestCase


class OddPages(BackupsTestCase):
    def test_zeros_in_front_hide_no_size(self) -> None:
        for name in ('limit', 'offset'):
            for text in ('0' * 12 + '9' * 20, '9' * 5000, '0' * 5000 + '1'):
                with self.row(f'{name}={text[:40]}'):
                    self.refused(400, 'must be a whole number', 'GET', f'jobs?{name}={text}')

    def test_some_zeros_in_front(self) -> None:
        self.given('GET', 'jobs?limit=007&offset=000')
