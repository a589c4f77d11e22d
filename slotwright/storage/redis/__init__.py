"""Pools, flavors and the catalogue in Redis or Valkey, with the keys of seed 000."""
