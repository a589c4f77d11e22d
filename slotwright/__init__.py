"""Slotwright: a Redis Cluster service. What its three daemons share."""

__version__ = '0.1.0'
