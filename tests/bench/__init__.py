"""The benchmark: what a comprobante costs, how fast, how far. `make bench` prints one table beside the budgets.

Everything is counted or is a ratio within one run: a figure that depends on the machine alone is no figure. The real
handlers run in the explorer's world (virtual clock, the provider simulator, the stream, SQS, Step Functions), so
10,000 comprobantes over hours of provider time take minutes here, and the explorer's invariants hold beside them.

`capacity` says what DynamoDB charges, `counting` counts a world, `emulator` holds both against MiniStack;
`reference` is the same work as AWS's own guides teach it; `starting` and `cpu` are about processes; `filling` and
`adapting` about lotes; `prices`, `costs` and `scale` are arithmetic, tested by value; `table` prints.

    python -m tests.bench             everything, up to 10,000 comprobantes
    python -m tests.bench --quick     up to 1,000
    python -m tests.bench --only counts,reference
"""
