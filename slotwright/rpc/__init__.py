"""The RPC contract between the daemons, once, and the ways to speak it."""
