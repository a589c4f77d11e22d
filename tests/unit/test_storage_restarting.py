"""What migrations on MySQL leave out, as far as no server is needed to see it."""

import io

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from slotwright.storage.sqlalchemy.restarting import RestartingImpl
from tests.base import TestCase


class RestartingTest(TestCase):
    def test_a_constraint_that_is_no_foreign_key_is_not_left_out(self) -> None:
        written = io.StringIO()
        steps = RestartingImpl(mysql.dialect(), None, True, False, written, {})
        table = sa.Table('numbers', sa.MetaData(), sa.Column('number', sa.Integer))
        steps.drop_constraint(sa.UniqueConstraint(table.c.number, name='uq_numbers_number'))
        self.assertIn('ALTER TABLE numbers DROP INDEX uq_numbers_number', written.getvalue())
