"""A local AWS (MiniStack) with the project's own template on it, and what AWS does that MiniStack does not."""
