"""The three-way split: everything that is not a success says what is known of the effect, and says it once."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from tusfacturas import outcomes
from tusfacturas.outcomes import Incierto, NoEnviado, Problema, Rechazado, SinMencion

RAMAS = (NoEnviado, Rechazado, Incierto)


def hijas(clase):
    # `slots=True` makes every class twice; the first one lingers among the subclasses until it is collected.
    return [c for c in clase.__subclasses__() if getattr(sys.modules[c.__module__], c.__name__, None) is c]


def descendientes(clase):
    return [d for hija in hijas(clase) for d in (hija, *descendientes(hija))]


HOJAS = [clase for clase in descendientes(Problema) if not hijas(clase)]


def test_there_are_exactly_three_branches():
    assert set(hijas(Problema)) == set(RAMAS)


@pytest.mark.parametrize("hoja", HOJAS, ids=lambda hoja: hoja.__name__)
def test_every_leaf_hangs_from_exactly_one_branch(hoja):
    assert sum(issubclass(hoja, rama) for rama in RAMAS) == 1
    assert len(hoja.__bases__) == 1
    assert hoja not in RAMAS


def test_no_class_of_problem_is_left_outside_the_tree():
    """A leaf defined in the module but hung elsewhere would be handled by nobody."""
    hechos = {
        "Aceptado",
        "Consulta",
        "Consumo",
        "Culpable",
        "Encontrado",
        "Falla",
        "Hecho",
        "LoteProcesado",
        "Servicios",
    }
    clases = {n for n, c in vars(outcomes).items() if dataclasses.is_dataclass(c) and c.__module__ == outcomes.__name__}
    assert clases - hechos == {clase.__name__ for clase in (Problema, *descendientes(Problema))}


def test_the_docstring_draws_the_tree_that_the_code_is():
    for clase in (Problema, *descendientes(Problema)):
        assert f" {clase.__name__} " in (outcomes.__doc__ or "").replace("\n", " \n ")


def test_the_stable_code_is_the_name_of_the_leaf():
    assert SinMencion("x").codigo == "SinMencion"
    assert len({hoja.__name__ for hoja in HOJAS}) == len(HOJAS)


def test_a_problem_is_a_value():
    assert SinMencion("x") == SinMencion("x")
    with pytest.raises(dataclasses.FrozenInstanceError):
        SinMencion("x").detalle = "y"
