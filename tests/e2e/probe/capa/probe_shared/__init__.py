"""Comes in the layer."""

LAYER = "from the layer"
