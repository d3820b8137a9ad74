"""What holds whatever is done to the provider."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sandbox.simulator.plan import HOOK_OUTCOMES, OPERATION_OUTCOMES, OUTCOMES, Plan
from tests.unit.simulator.world import TODAY, TOMORROW, World, entrada

COMENTARIOS = ["", "SIM:RECHAZAR", "SIM:APROBACION"] + [
    f"SIM:ERROR={kind}"
    for kind in ("10016*2", "10036", "FECHA", "DATOS", "AFIP", "CONFIG", "AMBIGUO", "SIN_CAE", "DESCONOCIDO")
]
references = st.sampled_from([f"r{n}" for n in range(6)])
submission = st.tuples(st.just("lote"), st.lists(st.tuples(references, st.sampled_from(COMENTARIOS)), max_size=4))
operation = st.tuples(
    st.sampled_from(["reenviar_encolado", "eliminar_encolado", "cambiar_fecha_encolado", "web_issue", "web_delete"]),
    references,
)
passing = st.tuples(st.just("esperar"), st.sampled_from([0.1, 5.0, 400.0, 90_000.0]))
steps = st.lists(st.one_of(submission, operation, passing), max_size=25)
plans = st.builds(
    Plan,
    lotes=st.lists(st.sampled_from(sorted(OUTCOMES)), max_size=10),
    operaciones=st.lists(st.sampled_from(sorted(OPERATION_OUTCOMES)), max_size=5),
    forma_rechazo=st.sampled_from(["parcial", "seed", "ilegible"]),
    demora_fondo=st.sampled_from([0.0, 120.0, (1.0, 500.0)]),
    demora_visible=st.sampled_from([0.0, 60.0]),
    hueco_emision=st.sampled_from([0.0, 3.0]),
    segundos_por_comprobante=st.sampled_from([0.0, 4.0]),
    afip_caida=st.booleans(),
    intentos_maximos=st.just(3),
    desincroniza=st.booleans(),
    cambio_fecha_reencola=st.booleans(),
    orden_seleccion=st.sampled_from(["llegada", "azar"]),
)


def play(world: World, script: list[Any]) -> Counter[str]:
    """Do the script; gives how often each reference was submitted."""
    submitted: Counter[str] = Counter()
    for step, argument in script:
        if step == "lote":
            world.lote(*[entrada(reference, comentario=comentario) for reference, comentario in argument])
            submitted.update(reference for reference, _ in argument)
        elif step == "esperar":
            world.run(argument)
        elif step.startswith("web_"):
            getattr(world.proveedor, step)("sucursal", argument)
        else:
            body = {"external_reference": argument, "fecha": TODAY, "vencimiento": TOMORROW}
            world.call(f"facturacion/{step}", **body)
    return submitted


@settings(max_examples=200, deadline=None)
@given(plans, steps, st.integers(0, 5))
def test_the_audit_balances_and_nothing_comes_of_nothing(plan: Plan, script: list[Any], seed: int) -> None:
    """§0.1.3: two items of one reference only where it was submitted twice; and
    accepted = issued + in queue + in error + deleted, at every end.
    """
    world = World(plan, seed=seed)
    submitted = play(world, script)
    audit = world.proveedor.audit()
    accepted = Counter(row["external_reference"] for row in audit["comprobantes"])
    assert all(accepted[reference] <= submitted[reference] for reference in accepted)
    summary = audit["summary"]
    assert sum(summary["estados"].values()) == summary["aceptados"] == sum(accepted.values())
    assert summary["accepted_twice"] == sorted(f"sucursal#{r}" for r, times in accepted.items() if times > 1)
    queued = {key: sum(post["queued"] for post in posts) for key, posts in audit["posts_by_reference"].items()}
    assert {k: n for k, n in queued.items() if n} == {f"sucursal#{r}": n for r, n in accepted.items()}
    assert sum(summary["lotes"]["sizes"]) == summary["aceptados"]
    by_tipo = sorted(row["numero"] for row in audit["comprobantes"] if row["numero"])
    assert by_tipo == list(range(1, len(by_tipo) + 1)), "numbers are correlative and given once"


@settings(max_examples=200, deadline=None)
@given(plans, steps, st.lists(st.sampled_from([o for o in HOOK_OUTCOMES if o != "lost"]), max_size=10))
def test_with_no_hook_lost_every_acceptance_is_told_and_every_issue(
    plan: Plan, script: list[Any], hooks: list[str]
) -> None:
    """§4: one `encolado` per accepted at least, one `emitido` per issued; `emitido` for nothing else."""
    plan.update(hooks=hooks, barajar_hooks=20.0)
    world = World(plan)
    play(world, script)
    world.run(10 * 86_400)
    accepted = Counter(item.referencia for item in world.proveedor.cola.items)
    issued = Counter(item.referencia for item in world.proveedor.cola.items if item.emitido)
    told = Counter((hook["evento"], hook["external_reference"]) for hook in world.hooks)
    assert all(told["encolado", reference] >= times for reference, times in accepted.items())
    assert all(told["emitido", reference] >= times for reference, times in issued.items())
    assert {reference for evento, reference in told if evento == "emitido"} == set(issued)
    assert {reference for evento, reference in told if evento == "encolado"} == set(accepted)
    hooks_now = world.summary()["hooks"]
    assert hooks_now["pendiente"] == hooks_now["en_vuelo"] == 0


@settings(max_examples=50, deadline=None)
@given(plans, steps, st.integers(0, 3))
def test_the_same_seed_and_script_give_the_same_world(plan: Plan, script: list[Any], seed: int) -> None:
    """Deterministic: a schedule that was found can be played again."""
    first, second = World(deepcopy(plan), seed=seed), World(deepcopy(plan), seed=seed)
    play(first, script)
    play(second, script)
    assert first.proveedor.audit() == second.proveedor.audit()
    assert first.hooks == second.hooks
