"""A small, budgeted acceptance run against the real provider: never part of the tests, never without credentials."""
