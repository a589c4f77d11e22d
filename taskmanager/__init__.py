"""The worker that makes accepted requests true."""
