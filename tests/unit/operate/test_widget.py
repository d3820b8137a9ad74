"""What the widget shows: every text of others as the text that it is, within what CloudWatch lets through."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.seen import Seen, a_row

from operate.widget.asked import filter_of, read_panel
from operate.widget.console import show
from operate.widget.lista import POR_PAGINA
from operate.widget.markup import action, el

ARN = "arn:aws:lambda:us-east-1:123456789012:function:operate"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</cwdb-action><b>",
    "' onclick='x",
    "<!--",
    "&lt;",
]
texts = st.text() | st.sampled_from(EVIL) | st.builds("{}{}".format, st.sampled_from(EVIL), st.text(max_size=9))
some = st.none() | texts
instants = st.just("2026-03-02T12:00:00.000Z")
amounts = st.sampled_from([None, "139.00", "1234567.50", "-5.00"])
causas = st.lists(st.fixed_dictionaries({"codigo": texts, "mensaje": texts}), max_size=3)


def a_list(*rows, incidentes=(), pausas=(), sigue=None):
    return {"comprobantes": list(rows), "incidentes": list(incidentes), "pausas": list(pausas), "sigue": sigue}


rows = st.builds(
    a_row,
    cuenta=texts,
    external_reference=texts,
    estado=st.sampled_from(["EN_REVISION", "ERROR"]),
    tipo=some,
    total=amounts,
    horas=st.sampled_from([None, 0, 5, 99]),
    causas=causas,
    de_otro_sistema=st.booleans(),
    decision=some,
    espera=some,
    hasta=st.none() | instants,
)
incidents = st.fixed_dictionaries(
    {"cuenta": texts, "codigo": texts, "mensaje": texts, "desde": instants, "retenidos": st.integers(0, 9)}
)
pauses = st.lists(
    st.fixed_dictionaries(
        {"cuenta": some, "desde": instants, "hasta": st.none() | instants, "quien": texts, "motivo": texts}
    ),
    max_size=2,
)
lists = st.builds(
    lambda found, incidentes, pausas: a_list(*found, incidentes=incidentes, pausas=pausas),
    st.lists(rows, max_size=4),
    st.lists(incidents, max_size=2),
    pauses,
)
cuentas = st.fixed_dictionaries(
    {
        "cuentas": st.lists(
            st.fixed_dictionaries(
                {
                    "cuenta": texts,
                    "abiertos": st.integers(0, 9),
                    "pausa": pauses.map(lambda found: found[0] if found else None),
                    "puerta": some,
                    "retirada": st.booleans(),
                    "hasta": st.none() | instants,
                }
            ),
            max_size=3,
        ),
        "pausas": pauses,
    }
)
hooks = st.fixed_dictionaries(
    {
        "clase": st.just("hook"),
        "instante": instants,
        "evento": texts,
        "creado": texts,
        "mensajes": st.lists(texts, max_size=3),
    }
)
actions = st.fixed_dictionaries(
    {
        "clase": st.sampled_from(["accion", "decision"]),
        "instante": instants,
        "accion": texts,
        "quien": texts,
        "motivo": texts,
    },
    optional={"resultado": texts, "detalle": texts, "solicitud": texts, "fecha": texts},
)
stories = st.builds(
    lambda row, lines, *more: {
        "cuenta": row["cuenta"],
        "external_reference": row["external_reference"],
        "asiento": row
        | dict(zip(("vencimiento", "lote_id", "cae", "reemplaza", "reemplazado_por"), more, strict=True))
        | {"creado": None, "numero": 7},
        "historia": lines,
    },
    rows,
    st.lists(hooks | actions, max_size=4),
    *([some] * 5),
)
refusals = st.lists(
    st.fixed_dictionaries({"cuenta": texts, "external_reference": texts, "codigo": texts, "motivo": texts}), max_size=7
)
refused_messages = refusals | st.lists(
    st.fixed_dictionaries(
        {"message_id": texts, "cuenta": texts, "external_reference": st.just(""), "codigo": texts, "motivo": texts}
    ),
    max_size=2,
)
decisions = st.builds(
    lambda **of: of,
    accion=st.just("reenviar"),
    cantidad=st.integers(0, 3),
    total=st.just("139.00"),
    pedidos=st.integers(0, 9),
    fuera_de_ventana=st.integers(0, 2),
    negados=refusals,
    incidentes_cerrados=st.lists(st.fixed_dictionaries({"cuenta": texts, "codigo": texts}), max_size=2),
    sin_corrida=st.lists(texts, max_size=2),
    en_pausa=st.lists(texts, max_size=2),
    sigue=st.none() | st.fixed_dictionaries({"cuenta": texts, "orden": texts, "external_reference": texts}),
)


def shown(consola=None, answer=None, *, form=None, params=None, theme="light", ask=None, **context):
    """What CloudWatch gets. `answer`: of every order."""
    context = {"dashboardName": "negocio", "accountId": "1", "theme": theme, **context}
    context |= {"params": params or {}, "forms": {"all": form or {}}}
    event = {"widgetContext": context} | ({} if consola is None else {"consola": consola})
    return show(event, ask or (lambda _: answer), endpoint=ARN, solicitud="s-1", clock=lambda: NOW)


KEPT = {"instante", "desde", "hasta", "estado", "total"}
OURS = {"accion", "decision", "hook", "reenviar", "muertos"}


def tame(value, names=None):
    """The same with every text of others replaced by a harmless one, equal ones by equal ones; empty ones stay."""
    names = {} if names is None else names
    if isinstance(value, dict):
        return {k: v if k in KEPT else tame(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [tame(v, names) for v in value]
    if isinstance(value, str) and value and value not in OURS:
        return names.setdefault(value, f"t{len(names)}")
    return value


def tame_keys(answer):
    return tame(answer) | {"por_codigo": {f"t{n}": count for n, count in enumerate(answer["por_codigo"].values())}}


def assert_only_ours(html, quiet):
    """As many elements of each kind, and as many attributes, as if nobody had written any markup (`quiet`)."""
    seen, tamed = Seen(html), Seen(quiet)
    assert Counter(name for name, _ in seen.tags) == Counter(name for name, _ in tamed.tags)
    assert Counter(a for _, of in seen.tags for a in of) == Counter(a for _, of in tamed.tags for a in of)
    assert seen.odd == [] and {button.endpoint for button in seen.buttons} <= {ARN}
    return seen


def as_shown(text):
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text)


# -- nothing that others wrote becomes markup


@given(lists)
def test_no_text_of_a_list_becomes_markup(answer):
    seen = assert_only_ours(shown(answer=answer), shown(answer=tame(answer)))
    for row in answer["comprobantes"]:
        assert as_shown(row["tipo"] or "") in seen.text and as_shown(row["cuenta"]) in seen.text
        told = [b for b in seen.buttons if b.consola["vista"] == "historia"]
        assert row["external_reference"] in [b.consola["referencia"] for b in told]


@given(stories)
def test_no_text_of_a_story_becomes_markup(answer):
    asked = {"vista": "historia", "cuenta": "c", "referencia": "r"}
    seen = assert_only_ours(shown(asked, answer), shown(asked, tame(answer)))
    for line in answer["historia"]:
        said = (*line.get("mensajes", ()), line.get("motivo", ""), line.get("quien", ""), line.get("evento", ""))
        assert all(as_shown(text) in seen.text for text in said)


@given(decisions, texts, texts, texts)
def test_no_text_about_a_decision_becomes_markup(answer, reference, cuenta, motivo):
    which = {"accion": "reenviar", "cuenta": cuenta, "referencias": [reference]}
    quietly = {"accion": "reenviar", "cuenta": "c", "referencias": ["r"]}
    calm = tame(answer)
    before = shown({"vista": "preparar", **which}, answer)
    seen = assert_only_ours(before, shown({"vista": "preparar", **quietly}, calm))
    if answer["cantidad"]:
        assert seen.button("Reenviar").consola["referencias"] == [reference]
    after = shown({"vista": "hacer", **which}, answer, form={"motivo": motivo})
    seen = assert_only_ours(after, shown({"vista": "hacer", **quietly}, calm, form={"motivo": "m"}))
    if answer["sigue"]:
        go_on = seen.button("Seguir con los que faltan").consola
        assert go_on["tras"] == answer["sigue"] and go_on["dicho"]["motivo"] == motivo.strip()
        assert go_on["vista"] == "preparar", "what comes next is confirmed with its own cost"


replays = st.fixed_dictionaries(
    {
        "diferencias": st.lists(
            st.fixed_dictionaries(
                {
                    "en_libro": some,
                    "segun_hooks": texts,
                    "hooks": st.lists(st.fixed_dictionaries({"evento": texts, "hook_id": texts}), max_size=3),
                }
            ),
            max_size=2,
        ),
        "cantidad": st.integers(0, 2),
        "negados": refusals,
    }
)


@given(replays, texts, texts)
def test_no_text_about_a_replay_becomes_markup(answer, cuenta, reference):
    which, quietly = {"cuenta": cuenta, "referencia": reference}, {"cuenta": "c", "referencia": "r"}
    for vista in ("reproduccion", "reproducir"):
        seen = assert_only_ours(
            shown({"vista": vista, **which}, answer), shown({"vista": vista, **quietly}, tame(answer))
        )
        assert as_shown(reference) in seen.text


redrives = st.builds(
    lambda **of: of,
    origen=st.just("muertos"),
    cantidad=st.integers(0, 3),
    por_codigo=st.dictionaries(texts, st.integers(1, 9), max_size=2),
    negados=refused_messages,
    terminado=st.booleans(),
)


@given(redrives)
def test_no_text_about_a_redrive_becomes_markup(answer):
    assert_only_ours(shown({"vista": "colas"}, answer), shown({"vista": "colas"}, tame_keys(answer)))
    asked = {"vista": "redirigir", "origen": "muertos", "maximo": 3}
    assert_only_ours(shown(asked, answer), shown(asked, tame_keys(answer)))


@given(cuentas, pauses, texts, texts)
def test_no_text_about_a_pause_becomes_markup(answer, pausas, cuenta, motivo):
    assert_only_ours(shown({"vista": "cuentas"}, answer), shown({"vista": "cuentas"}, tame(answer)))
    refused = {"error": {"codigo": "X", "mensaje": motivo}}
    for vista in ("pausa", "pausar", "reanudar"):
        before = shown({"vista": vista, "cuenta": f"c{cuenta}"}, refused, form={"motivo": motivo, "horas": cuenta})
        quiet = shown({"vista": vista, "cuenta": "c"}, tame(refused), form={"motivo": "m", "horas": "h"})
        assert_only_ours(before, quiet)
    for pausa in pausas:
        for outcome in ({"pausa": pausa, "nueva": True, "conocida": False}, {"pausa": pausa, "pausas": pausas}):
            asked = {"vista": "pausar", "cuenta": "c"}
            seen = assert_only_ours(shown(asked, outcome), shown(asked, tame(outcome)))
            assert as_shown(pausa["motivo"]) in seen.text


@given(texts, texts.filter(str.strip), texts.filter(str.strip))
def test_no_text_that_is_typed_or_refused_becomes_markup(mensaje, reference, cuenta):
    def sought(mensaje, reference, cuenta):
        form = {"h_cuenta": cuenta, "h_referencia": reference}
        return shown({"vista": "buscar"}, {"error": {"codigo": "X", "mensaje": mensaje}}, form=form)

    def filtered(mensaje, reference, cuenta):
        form = {"f_cuenta": cuenta, "f_codigo": reference, "f_prefijo": mensaje}
        return shown({"vista": "lista", "del_formulario": True}, a_list(a_row()), form=form)

    seen = assert_only_ours(sought(mensaje, reference, cuenta), sought("m", "r", "c"))
    assert all(as_shown(text) in seen.text for text in (mensaje, reference.strip(), cuenta.strip()))
    seen = assert_only_ours(filtered(mensaje, reference, cuenta), filtered("m", "r", "c"))
    assert {as_shown(cuenta.strip()), as_shown(reference.strip())} <= {a.get("value") for _, a in seen.tags}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)
    )
)
def test_what_a_button_sends_reads_the_same_from_the_source_and_from_the_element(value):
    html = action({"v": value}, ARN)
    source = html.partition(">")[2].removesuffix("</cwdb-action>")
    assert json.loads(source) == {"v": value} and not set("<>&") & set(source)
    assert Seen(el("a", "x") + html).buttons[0].params == {"v": value}


def test_a_form_field_is_named_like_nothing_that_a_browser_knows():
    """A sanitiser drops names that would hide a property of the document or of its form."""
    known = {"action", "method", "name", "title", "id", "length", "target", "submit", "elements", "location", "cookie"}
    confirmation = {"vista": "preparar", "accion": "cambiar_fecha", "cuenta": "norte", "referencias": ["A-1"]}
    named = Seen(shown(answer=a_list(a_row()))).fields() | Seen(shown(confirmation, a_rehearsal())).fields()
    assert set(named) == {"f_cuenta", "f_codigo", "f_prefijo", "h_cuenta", "h_referencia", "fecha", "concepto"}
    assert not set(named) & known


# -- what is there


def a_rehearsal(**more):
    return {
        "accion": "reenviar",
        "cantidad": 2,
        "total": "1278.00",
        "pedidos": 2,
        "fuera_de_ventana": 0,
        "negados": [],
        "incidentes_cerrados": [],
        "sin_corrida": [],
        "en_pausa": [],
        "sigue": None,
        **more,
    }


def test_a_list_says_how_many_how_much_and_how_long():
    found = a_list(
        a_row(horas=3),
        a_row(external_reference="A-2", total="1000.50", horas=0),
        a_row(external_reference="A-3", estado="ERROR", espera="espera su turno", hasta="2026-03-02T15:00:00.000Z"),
    )
    seen = Seen(shown(answer=found))
    assert "2 esperan a una persona, por 1.139,50; 1 está en error y se resuelve solo." in seen.text
    assert "3 h" in seen.text and "vencida" in seen.text and "espera su turno, hasta 02/03/2026 12:00" in seen.text


def test_an_empty_list_says_so():
    assert "Nada espera a una persona" in Seen(shown(answer=a_list())).text


def test_what_waits_for_one_cause_is_decided_about_together_and_only_where_there_is_a_code():
    incident = {
        "cuenta": "norte",
        "codigo": "CTA-1",
        "mensaje": "El punto de venta no está habilitado.",
        "desde": "2026-03-01T12:00:00.000Z",
        "retenidos": 37,
    }
    of_it = [{"codigo": "CTA-1", "mensaje": "x"}]
    seen = Seen(
        shown(answer=a_list(a_row(causas=of_it), a_row(external_reference="A-2", causas=[]), incidentes=[incident]))
    )
    assert seen.button("Reenviar", codigo="CTA-1").consola == {
        "vista": "preparar",
        "accion": "reenviar",
        "cuenta": "norte",
        "codigo": "CTA-1",
    }
    assert "Incidente de la cuenta desde 01/03/2026 09:00" in seen.text and "37" in seen.text
    # A filter without a code would be all of the cuenta.
    assert [b.consola for b in seen.buttons if "codigo" in b.consola and not b.consola["codigo"]] == []


def test_of_another_systems_reference_only_letting_go_is_offered():
    seen = Seen(shown(answer=a_list(a_row(de_otro_sistema=True, causas=[]))))
    assert [b.label for b in seen.buttons if b.consola["vista"] == "preparar"] == ["Desistir"]


def test_a_thousand_of_the_longest_are_shown_in_pages_of_a_bounded_size():
    long = {"codigo": "C" * 64, "mensaje": "<&>" * 600}
    many = [
        a_row(external_reference=f"{n:04d}" + "<" * 251, cuenta="c" * 32, causas=[long] * 5, decision="<" * 90)
        for n in range(1000)
    ]
    first = shown(answer=a_list(*many))
    assert len(first.encode()) < 300_000
    seen = Seen(first)
    assert "Página 1 de 40" in seen.text
    consola, told = seen.button("Siguientes").consola, []
    for page in range(2, 41):
        assert consola["pagina"] == page
        seen = Seen(shown(consola, a_list(*many)))
        told += [b.consola["referencia"] for b in seen.buttons if b.consola["vista"] == "historia"]
        consola = seen.button("Siguientes").consola if page < 40 else None
    assert told == [row["external_reference"] for row in many[POR_PAGINA:]]


def test_a_story_of_a_thousand_lines_shows_the_latest():
    hook = {"clase": "hook", "instante": "2026-03-02T12:00:00.000Z", "evento": "error", "creado": "x"}
    lines = [{**hook, "mensajes": [f"m-{n}" + "x" * 5000] * 30} for n in range(1000)]
    more = {"vencimiento": None, "lote_id": None, "cae": None, "reemplaza": None, "reemplazado_por": None}
    story = {
        "cuenta": "norte",
        "external_reference": "A-1",
        "asiento": {**a_row(), **more, "creado": None, "numero": None},
        "historia": lines,
    }
    html = shown({"vista": "historia", "cuenta": "norte", "referencia": "A-1"}, story)
    assert "m-999" in html and "m-899" not in html and "Hay 900 anteriores" in html
    assert len(html.encode()) < 800_000


def test_a_reason_that_the_ledger_cut_is_shown_to_be_cut():
    whole, kept = ("Un texto que entra.", "Un texto que no entra " + "y sigue " * 20)
    for text, ends in ((whole, whole), (kept[:100], kept[:100] + "…")):
        seen = Seen(shown(answer=a_list(a_row(causas=[{"codigo": "X-1", "mensaje": text}]))))
        assert f"{ends} [X-1]" in seen.text


def test_a_confirmation_says_what_it_costs_and_asks_for_a_reason():
    consola = {"vista": "preparar", "accion": "reenviar", "cuenta": "norte", "codigo": "CTA-1"}
    seen = Seen(shown(consola, a_rehearsal(fuera_de_ventana=1)))
    assert "todos los de norte por CTA-1" in seen.text and "1.278,00" in seen.text and "hasta 2" in seen.text
    assert "1 tiene una fecha que ARCA ya no toma" in seen.text and ("textarea" in seen.names)
    button = seen.button("Reenviar")
    assert button.consola == {**consola, "vista": "hacer", "visto": "2026-03-02T12:00:00.000Z", "maximo": 2}
    assert button.confirmation == "Reenviar: 2 comprobantes por 1.278,00, hasta 2 pedidos del plan. ¿Seguro?"


def test_where_nothing_would_be_done_there_is_no_button_that_does_it():
    refused = {"cuenta": "norte", "external_reference": "A-1", "codigo": "NoEspera", "motivo": "Está EMITIDO."}
    consola = {"vista": "preparar", "accion": "eliminar", "cuenta": "norte", "referencias": ["A-1"]}
    seen = Seen(shown(consola, a_rehearsal(cantidad=0, negados=[refused])))
    assert "No: 1. Está EMITIDO. [NoEspera] A-1" in seen.text
    assert [b.label for b in seen.buttons] == ["Volver a la lista"]


def test_a_change_of_date_asks_for_the_date_and_for_what_is_invoiced():
    consola = {"vista": "preparar", "accion": "cambiar_fecha", "cuenta": "norte", "referencias": ["A-1"]}
    fields = [a for tag, a in Seen(shown(consola, a_rehearsal())).tags if tag == "input"]
    assert [(f["name"], f["type"]) for f in fields] == [("fecha", "date"), ("concepto", "radio"), ("concepto", "radio")]
    assert [f["value"] for f in fields if "checked" in f] == ["productos"]


# -- what it asks for


def asked_by(consola, **more):
    orders = []

    def ask(order):
        orders.append(order)
        return {"error": {"codigo": "X", "mensaje": "no"}}

    shown(consola, ask=ask, **more)
    return orders


def test_only_a_confirmed_press_decides_and_everything_else_only_asks():
    which = {"accion": "reenviar", "cuenta": "norte", "referencias": ["A-1"]}
    for vista in (
        "lista",
        "buscar",
        "historia",
        "preparar",
        "cuentas",
        "pausa",
        "reanudacion",
        "colas",
        "reproduccion",
    ):
        orders = []
        answer = {**a_list(), **a_rehearsal(), "cuentas": [], "error": None}
        answer |= {
            "cuenta": "c",
            "external_reference": "r",
            "asiento": None,
            "historia": [],
            "terminado": True,
            "por_codigo": {},
            "diferencias": [],
        }
        del answer["error"]
        shown({"vista": vista, **which}, ask=lambda order: orders.append(order) or answer, form={"motivo": "m"})  # noqa: B023
        assert all(o["orden"] in ("listar", "ver", "cuentas") or o["simulacro"] for o in orders), orders
    assert asked_by({"vista": "hacer", "visto": "t", **which}, form={"motivo": "m"})[0] == {
        "orden": "decidir",
        **which,
        "motivo": "m",
        "quien": "CloudWatch, panel negocio, cuenta de AWS 1",
        "visto": "t",
        "tras": None,
        "maximo": 200,
    }


@pytest.mark.parametrize("vista", ["hacer", "preparar", "lista"])
def test_what_stands_in_the_widgets_own_parameters_decides_nothing(vista):
    params = {"consola": {"vista": vista, "accion": "eliminar", "cuenta": "norte", "referencias": ["A-1"]}}
    assert asked_by(params["consola"], params=params, form={"motivo": "m"}) == []
    assert "no decide nada" in Seen(shown(params["consola"], params=params)).text


def test_the_widgets_parameters_filter_until_somebody_filters_otherwise():
    assert asked_by(None, params={"cuenta": "sur", "con_errores": False}) == [
        {"cuenta": "sur", "con_errores": False, "orden": "listar", "maximo": 1000}
    ]
    panel = read_panel({"widgetContext": {"params": {"cuenta": "sur"}, "forms": {"all": {"f_cuenta": " norte "}}}})
    typed = filter_of({"del_formulario": True, "con_errores": False}, panel)
    assert typed == {"cuenta": "norte", "codigo": "", "prefijo": "", "con_errores": False}
    assert filter_of({"filtro": {"codigo": "C"}}, panel) == {"codigo": "C", "con_errores": True}


@pytest.mark.parametrize("context", [{}, {"dashboardName": 3, "params": [], "forms": None}, {"forms": {"all": "x"}}])
def test_whatever_is_missing_in_the_context_is_as_if_it_were_empty(context):
    panel = read_panel({"widgetContext": context})
    assert panel.quien == "CloudWatch, panel sin nombre, cuenta de AWS desconocida" and panel.form == {}


def test_a_view_that_nobody_knows_is_told_as_such():
    assert "no conoce esa vista" in Seen(shown({"vista": "<b>"})).text


def test_it_follows_the_theme():
    assert 'class="fac"' in shown(answer=a_list()) and 'class="fac oscuro"' in shown(answer=a_list(), theme="dark")


def test_it_describes_itself_to_who_adds_it_to_a_dashboard():
    text = show({"describe": True}, lambda _: {}, endpoint=ARN, solicitud="s", clock=lambda: NOW)
    assert text.startswith("## ") and "``` yaml" in text and "con_errores" in text


def test_hours_that_are_no_number_are_handed_on_as_they_are_and_refused():
    for typed, horas in (("", None), ("1,5", 1.5), ("dos", "dos")):
        (order,) = asked_by({"vista": "pausar", "cuenta": "norte"}, form={"motivo": "m", "horas": typed})
        assert order == {
            "orden": "pausar",
            "cuenta": "norte",
            "horas": horas,
            "motivo": "m",
            "quien": "CloudWatch, panel negocio, cuenta de AWS 1",
        }
