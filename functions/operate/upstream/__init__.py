"""For whoever sends: a file of messages checked before anything leaves, and put on the queue. Needs no function."""
