"""Load: thousands of comprobantes over many cuentas on the local AWS, while its functions are killed at random.

Three sources must agree at the end, as in the demo: what was sent, the simulator's audit, the ledger. How late each
hook was answered is measured where the provider would measure it, at the sender of the hooks.
"""
