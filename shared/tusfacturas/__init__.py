"""The TusFacturas.app API (queued issuing): client, models, hooks, error catalogue. Knows nothing of AWS."""
