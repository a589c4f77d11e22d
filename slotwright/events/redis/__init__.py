"""The drivers on one Redis server, and on a Redis Cluster."""
