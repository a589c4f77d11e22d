"""What a request does, whoever brings it: no HTTP in here."""
