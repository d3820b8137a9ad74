"""The crash explorer: the real handlers, over moto, with the provider simulator behind the real client.

It acts as the world: SQS, the stream, the provider, EventBridge, Lambda and its deaths, all under a virtual clock and a
scheduler that is a function of a seed (`schedule`). Every AWS call and every provider call of the shipped code passes
through `instrument`, which finds them by botocore's events and by the httpx transport: what is added to the code
tomorrow is explored without anyone remembering. `invariants` says what must hold; `exhaustive` cuts every call of small
scenarios, `randomly` mixes all faults by seed, `mutants` breaks the rules one by one to show that it would be noticed.

    python -m tests.explore              the default run
    python -m tests.explore --seed 17    one random schedule again, with its trace
"""
