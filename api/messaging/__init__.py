"""/v2: pools and flavors, where instances run, as Zaqar's clients manage them."""
