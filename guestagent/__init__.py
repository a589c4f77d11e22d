"""The agent beside one redis-server."""
