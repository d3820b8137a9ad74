"""HTTP API → ledger: authenticate a hook, store it once, answer 200."""
