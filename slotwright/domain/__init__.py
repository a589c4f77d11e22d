"""Pure decisions: no I/O, clock, randomness or configuration in here."""
