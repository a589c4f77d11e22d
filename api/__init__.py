"""The REST daemon."""
