"""The crash explorer: the real handlers, over moto, with the provider simulator behind the real client.

It acts as the world: SQS, the stream, the provider, EventBridge, Lambda and its deaths, all under a virtual clock and a
scheduler that is a function of a seed (`schedule`). Every AWS call and every provider call of the shipped code passes
through `calls`, which meets them in botocore and in the httpx transport, not by a list: what is added to the code
tomorrow is explored without anyone remembering. `invariants` says what must hold; `exhaustive` cuts every call of small
scenarios, `randomly` mixes all faults by seed, `mutants` breaks the rules one by one to show that it would be noticed.

`world` is the scheduler, `calls` what each call comes to, `invoking` one invocation, `functions` which there are,
`queues` SQS and the stream; `dynamo` is moto in less time, `installing` puts all of it around the shipped code.
`scenarios` are cut everywhere, `directed` make one thing come just so, `outage` is a day without the provider.

    python -m tests.explore                      the default run
    python -m tests.explore --long               10,000 schedules of 3 to 30 comprobantes, and 100 of 300
    python -m tests.explore --kind small --seed 17    one of them again, with its trace
"""
