"""Cuentas: their secret, its tokens, and whether the provider and its hooks work with them.

It runs where the operator is, with the operator's own rights on AWS: credentials travel from the prompt to Secrets
Manager and to the provider, and through nothing else. What is not secret (pauses, what is open, which hooks came) is
asked of the function.
"""
