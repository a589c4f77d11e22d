"""Where instances run: one driver each."""
