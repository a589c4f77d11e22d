"""The file of users, and whose password is right."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bcrypt
import fixtures

from api.auth import userfile, users
from api.auth.users import Users
from slotwright.domain.errors import Unavailable
from slotwright.loading import InvalidConfiguration
from tests.base import TestCase
from tests.guarded import wait_until

PASSWORD = 'correct horse'
# Of PASSWORD, cheaper than what is written by ourselves (2**4 rounds).
HASH = '$2b$04$KFw9hhclJzPuvYV7n8okx..KIdCf20SskS/7qCGasvNexagrVMcRu'
ALICE = f'alice:{HASH}:acme:member\n'


class UserCase(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = Path(self.useFixture(fixtures.TempDir()).path, 'users')
        self.path.write_text(ALICE)
        self.path.chmod(0o600)


class UserFileTest(UserCase):
    def test_bad_files_are_named_by_line(self) -> None:
        path = self.path
        for text in (
            'alice',
            f'alice:{HASH}',
            'alice:plain:acme:member',
            f'alice:{HASH}::member',
            f'alice:{HASH}:acme:',
            f'al ice:{HASH}:acme:member',
            f'alice:{HASH}:acme:member\nalice:{HASH}:acme:member',
            # bcrypt knows no less than 2**4 rounds, and 2**31 of them take days.
            f'alice:{HASH.replace("$04$", "$03$")}:acme:member',
            f'alice:{HASH.replace("$04$", "$31$")}:acme:member',
            f'alice:$2b$04${"z" * 53}:acme:member',
        ):
            path.write_text(f'# first\n{text}\n')
            error = self.assertRaises(InvalidConfiguration, Users, str(path))
            self.assertIn(', line ', str(error), text)
        self.assertRaises(InvalidConfiguration, Users, str(path) + '.none')

    def test_passwords_that_bcrypt_would_cut_are_refused(self) -> None:
        path = str(self.path) + '.new'
        for password in ('short', 'x' * 73, 'nul\0in between'):
            self.assertRaises(
                userfile.UserFileError, userfile.put, path, 'a', 'p', 'member', password
            )
        self.assertFalse(Path(path).exists())

    def test_a_file_that_is_no_text(self) -> None:
        self.path.write_bytes(ALICE.encode() + '# Bücher\n'.encode('latin-1'))
        error = self.assertRaises(InvalidConfiguration, Users, str(self.path))
        self.assertIn(f'{self.path}, line 2: it is not UTF-8', str(error))

    def test_roles_are_the_same_in_capitals(self) -> None:
        self.path.write_text(ALICE.replace('member', 'Admin'))
        identity = userfile.read(str(self.path))['alice'].identity
        self.assertEqual({'admin'}, identity.roles)
        self.assertTrue(identity.may_enter('other'))

    def test_odd_characters_end_no_line(self) -> None:
        self.path.write_text(f'# a\x0c\u2028mallory:{HASH}:*:admin\n{ALICE}')
        self.assertEqual(['alice'], list(userfile.read(str(self.path))))
        userfile.put(str(self.path), 'bob', 'acme', 'member', PASSWORD)
        self.assertEqual(['alice', 'bob'], list(userfile.read(str(self.path))))

    def test_a_link_stays_one(self) -> None:
        link = self.path.with_name('link')
        link.symlink_to(self.path)
        userfile.put(str(link), 'bob', 'acme', 'member', PASSWORD)
        self.assertTrue(link.is_symlink())
        self.assertEqual(['alice', 'bob'], list(userfile.read(str(self.path))))

    def test_mode_and_comments_stay(self) -> None:
        self.path.write_text(f'# people\n\n{ALICE}')
        self.path.chmod(0o640)
        userfile.put(str(self.path), 'bob', 'acme', 'member', PASSWORD)
        self.assertEqual(0o640, self.path.stat().st_mode & 0o777)
        self.assertTrue(self.path.read_text().startswith(f'# people\n\n{ALICE}bob:'))
        self.assertEqual([self.path], list(self.path.parent.iterdir()))

    def test_a_new_file_is_for_its_owner(self) -> None:
        path = self.path.with_name('new')
        userfile.put(str(path), 'bob', 'acme', 'member', PASSWORD)
        self.assertEqual(0o600, path.stat().st_mode & 0o777)

    def test_writers_at_the_same_time_lose_nobody(self) -> None:
        names = [f'user-{number}' for number in range(8)]
        path = str(self.path)
        threads = [
            threading.Thread(target=userfile.put, args=(path, name, 'acme', 'member', PASSWORD))
            for name in names
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({'alice', *names}, set(userfile.read(path)))


class VerifyTest(UserCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = 0.0
        self.work: list[str] = []  # the settings of all hashes that were computed
        self.at_work: Callable[[], Any] = lambda: None
        check = bcrypt.checkpw

        def counted(password: bytes, hashed: bytes) -> bool:
            self.work.append(hashed[:7].decode())
            self.at_work()
            return check(password, hashed)

        self.useFixture(fixtures.MonkeyPatch('bcrypt.checkpw', counted))

    def users(self, most_logins: int = 6) -> Users:
        return Users(str(self.path), most_logins, clock=lambda: self.now)

    def test_a_right_password_is_remembered_for_a_while(self) -> None:
        known = self.users()
        for _ in range(3):
            self.assertIsNotNone(known.verify('alice', PASSWORD))
        self.assertEqual(1, len(self.work))
        self.now = users.REMEMBERED + 1
        self.assertIsNotNone(known.verify('alice', PASSWORD))
        self.assertEqual(2, len(self.work))

    def test_no_password_is_kept_as_it_is(self) -> None:
        known = self.users()
        known.verify('alice', PASSWORD)
        self.assertNotIn(PASSWORD, repr(vars(known)))
        self.assertEqual([32], [len(key) for key in known._verified])

    def test_a_project_taken_away_is_gone_at_once(self) -> None:
        self.path.write_text(f'alice:{HASH}:acme,lab:member,admin\n')
        known = self.users()
        known.verify('alice', PASSWORD)
        self.path.write_text(ALICE)
        identity = known.verify('alice', PASSWORD)
        assert identity is not None
        self.assertEqual(({'acme'}, {'member'}), (identity.projects, identity.roles))

    def test_unknown_names_cost_what_known_ones_do(self) -> None:
        """``htpasswd -B`` makes hashes of 2**5 rounds, we make some of 2**12."""
        known = self.users()
        known.verify('alice', 'wrong')
        known.verify('nobody', 'wrong')
        self.assertEqual(['$2b$04$'] * 2, self.work)
        other = bcrypt.hashpw(b'x', bcrypt.gensalt(6)).decode()
        self.path.write_text(f'{ALICE}bob:{other}:acme:member\n')
        self.work.clear()
        for number in range(60):
            for _ in range(2):
                known.verify(f'nobody-{number}', 'wrong')
        self.assertEqual({'$2b$04$', '$2b$06$'}, set(self.work))
        self.assertEqual(self.work[::2], self.work[1::2])

    def test_without_users_a_name_costs_something(self) -> None:
        self.path.write_text('')
        self.assertIsNone(self.users().verify('nobody', 'wrong'))
        self.assertEqual([userfile.SETTING], self.work)

    def test_a_mode_that_was_mended_is_noticed(self) -> None:
        known = self.users()
        reading = userfile.read

        def refused(path: str) -> Any:
            if not self.path.stat().st_mode & 0o040:
                raise PermissionError(13, 'Permission denied', path)
            return reading(path)

        self.useFixture(fixtures.MonkeyPatch('api.auth.userfile.read', refused))
        self.path.write_text('')
        self.assertIsNotNone(known.verify('alice', PASSWORD))
        self.assertIn('Permission denied', self.log.output)
        self.path.chmod(0o640)
        self.assertIsNone(known.verify('alice', PASSWORD))

    def test_a_file_that_is_gone_is_told_once(self) -> None:
        known = self.users()
        self.path.rename(self.path.with_name('away'))
        for _ in range(3):
            self.assertIsNotNone(known.verify('alice', PASSWORD))
        self.assertEqual(1, self.log.output.count('The users stay as they were'))
        self.path.write_text('')
        self.assertIsNone(known.verify('alice', PASSWORD))

    def test_a_file_that_turned_into_no_text(self) -> None:
        known = self.users()
        self.path.write_bytes(b'# \xff\n')
        self.assertIsNotNone(known.verify('alice', PASSWORD))
        self.assertIn('line 1: it is not UTF-8', self.log.output)

    def test_a_file_for_everybody_is_told(self) -> None:
        self.users()
        self.assertNotIn('has the mode', self.log.output)
        self.path.chmod(0o644)
        self.users()
        self.assertIn(f'{self.path} has the mode 644', self.log.output)

    def test_guesses_leave_threads_to_others(self) -> None:
        """Two passwords are checked, one waits, the next is refused; who is known is served."""
        known = self.users(most_logins=3)
        known.verify('alice', PASSWORD)
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.at_work = lambda: hold.wait(60)
        ends: list[object] = []

        def guess() -> None:
            try:
                ends.append(known.verify('bob', 'guess'))
            except Unavailable as error:
                ends.append(error)

        guesses = [threading.Thread(target=guess) for _ in range(5)]
        for thread in guesses:
            thread.start()
        wait_until(lambda: len(ends) >= 2 and len(self.work) == 3, 'two to be turned away', 60)
        self.assertIsNotNone(known.verify('alice', PASSWORD))
        self.assertRaises(Unavailable, known.verify, 'carol', 'guess')
        hold.set()
        for thread in guesses:
            thread.join()
        self.assertIsNone(known.verify('carol', 'guess'))
