"""The rules that keep «exactly once», clause by clause: which mutant leaves each out, or why nobody would notice.

Each was drawn from a schedule in which its absence issued twice or lost something. `test_explore` holds this list
against the mutants: no clause without either, no mutant of a rule that is not here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """`number`: as the mutants give it. `unseen`: why its absence cannot be noticed here."""

    number: str
    clause: str
    mutants: tuple[str, ...] = ()
    unseen: str = ""


RULES: tuple[Rule, ...] = (
    Rule(
        "1",
        "the claim writes until when its POST may leave, and the sender looks at the clock just before",
        ("POST without a deadline", "quiet period from the claim, no deadline"),
    ),
    Rule(
        "1",
        "no thread outlives the handler",
        unseen="a world in which one invocation is one thread ends both at once; the client that would be such a "
        "thread's only way out is held to its time in tests/unit/tusfacturas/test_client.py",
    ),
    Rule(
        "2",
        "an absent answer counts only if the ask began after the quiet period",
        ("an ask counts from its end", "quiet period ignored"),
    ),
    Rule(
        "3", "absent is believed at the second absent answer, a settling after the first", ("absent believed at once",)
    ),
    Rule("3", "a settling begins when the first answer is there", ("settling from the question",)),
    Rule(
        "3",
        "nothing was seen between the two, and the provider answered all the time",
        ("an absence outlives a sighting",),
    ),
    Rule("4", "no answer is no absence", ("no answer taken for absent",)),
    Rule("4", "a total without an equal reference is uncertain", ("inexact taken for absent",)),
    Rule("4", "a date page proves presence only", ("absent from a page taken for absent",)),
    Rule(
        "4",
        "asked on the cuenta stored at the claim",
        unseen="the cuenta is half of the key of everything stored, so there is no code that could ask on another",
    ),
    Rule(
        "5",
        "the absence of an error has the same conditions, measured from the POST",
        ("an error's absence without quiet period", "an error's absence believed at once"),
    ),
    Rule("6", "earlier attempts are counted", ("earlier attempts not counted",)),
    Rule("6", "what belongs to earlier attempts is remembered", ("vistos ignored",)),
    Rule("7", "only hooks that are not accounted for classify", ("seen hooks classify",)),
    Rule("7", "with earlier attempts nothing is deleted by itself", ("deletes after earlier attempts",)),
    Rule("8", "every unseen hook raises version", ("an unseen hook leaves no mark",)),
    Rule(
        "8",
        "answers and results are written on the version that was read",
        ("answers written whatever happened since", "an action's result whatever happened since"),
    ),
    Rule("8", "a result that was refused is folded again", ("an action's result without folding again",)),
    Rule("9", "absent after evidence of the queue is ELIMINADO", ("evidence of the queue forgotten",)),
    Rule(
        "9", "an `eliminado` only asks where there were earlier attempts", ("a deletion of an earlier attempt deletes",)
    ),
    Rule("10", "every refused content is kept", ("only the last refusal remembered",)),
    Rule("10", "our own retry of a claim is recognized", ("own retry not recognized",)),
    Rule(
        "10",
        "a late repeat of refused content is told again before it is acknowledged",
        unseen="its event is owed with the state, and stays owed until it is out: this one is a repeat of it",
    ),
    Rule("11", "the dead-letter queue is read", ("dead-letter queue not read", "dead-letter queue dropped")),
    Rule("11", "a bounded number of times", ("the dead go round for ever",)),
    Rule("12", "an error is noted before its run is started", ("a run started before the error is noted",)),
    Rule("12", "a wake-up is counted", ("no wake-up counted",)),
    Rule("12", "wake-ups are counted before the errors are read", ("wake-ups counted when the lease is given back",)),
    Rule("12", "the lease is given back only if there was none since", ("a lease released regardless of wake-ups",)),
    Rule(
        "12",
        "the lease is looked at before each call, down to the very task",
        ("the lease not looked at before a call", "any task of the run acts"),
    ),
    Rule("12", "a note is dropped only as it was read", ("a note dropped without its mark",)),
    Rule("12", "whoever meets an error that nobody noted wakes a run", ("no run for an error that nobody noted",)),
    Rule(
        "12",
        "also on a repeat",
        unseen="the reconciliation notes every open error that nobody noted: it comes later, not never",
    ),
    Rule(
        "12",
        "planned from a consistent query",
        unseen="DynamoDB as it is played here shows every write at once, as moto does",
    ),
    Rule("12", "what is still queued leaves the errors", ("queued is still in error",)),
    Rule(
        "13",
        "the event is owed with the state until it is out",
        ("event after the state, not owed", "closed before its event is out"),
    ),
    Rule("13", "what is issued stays open until it has its CAE", ("issued without CAE is done",)),
    Rule("14", "cycles of one content are bounded", ("endless cycles",)),
    Rule("14", "`reemplaza` has its condition on the old one", ("reemplaza without its condition",)),
    Rule(
        "14",
        "an authentic hook of an unknown reference blocks its claim",
        ("a hook of an unknown reference ignored", "hooks unread before the claim"),
    ),
    Rule(
        "14",
        "follow_hooks reads the asiento consistently",
        unseen="DynamoDB as it is played here shows every write at once, as moto does",
    ),
    Rule("14", "the reconciliation asks about what is at the provider, too", ("ENVIADO and ENCOLADO not asked about",)),
    Rule("door", "a closed door lets no lote out", ("the door always open",)),
)
"""`door`: between two lotes of a cuenta an uncertain outcome is asked about."""
