"""`make demo`: a few hundred comprobantes with every kind of trouble, on a local AWS, and a table that must balance.

script    what is sent, in acts, and how each comprobante must end: values, drawn from a seed
bodies    the messages, made of the provider's own examples
stage     the local AWS with the project on it, the provider's simulator, and a queue that hears the bus
play      performs the script, and waits until everything is settled
watching  what can be seen while it runs, and when it is over
screen    the progress, on a terminal or as plain lines
balance   the three sources, compared row by row; the events, compared with both
timeline  the life of one comprobante in plain words
leaks     the search for the secrets, everywhere
verdict   what must hold of all that
report    what is printed at the end
running   all of it, from the beginning to the end
"""
