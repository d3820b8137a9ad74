"""The command line: one module per order, and what they share. Nothing of it runs on Lambda.

An order's module has `add(orders)`, which adds its parser with what runs it (`run`: the client and the arguments → an
answer) and what tells its answer to a person (`text`).
"""
