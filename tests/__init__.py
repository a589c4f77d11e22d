"""Tests, run by stestr."""
