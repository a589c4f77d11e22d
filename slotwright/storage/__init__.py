"""Management data: the interfaces; drivers are in the packages below."""
