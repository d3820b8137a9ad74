"""Schedule → truth: contrast what is open with the provider, and heal what was missed."""
