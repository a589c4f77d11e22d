"""Management data in MySQL/MariaDB, PostgreSQL or SQLite."""
