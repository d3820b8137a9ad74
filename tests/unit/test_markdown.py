"""What the documents point at is there: files, headings, verbs of make, orders of the command line, parameters."""

from __future__ import annotations

import re
import shlex
from urllib.parse import unquote

import pytest
import yaml
from tests.template import TEMPLATE, template

from operate.__main__ import main
from tusfacturas.overrides import load_catalogue

ROOT = TEMPLATE.parent
DOCUMENTS = sorted(
    path.relative_to(ROOT) for pattern in ("*.md", "docs/*.md", "events/**/*.md") for path in ROOT.glob(pattern)
)
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAMES = {"README.md", "README.es.md", "docs/operating.md", "docs/updates.md", "docs/sending.md", "events/README.md"}


def read(document):
    return (ROOT / document).read_text(encoding="utf-8")


def prose(document):
    return FENCED.sub("", read(document))


def anchors(document):
    """As GitHub makes them of headings: letters, digits, `-` and `_`; a heading that comes twice has a number."""
    made = []
    for heading in re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE):
        text = re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        made.append(slug if slug not in made else f"{slug}-{made.count(slug)}")
    return set(made)


def test_they_are_all_here():
    assert set(map(str, DOCUMENTS)) >= NAMES


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_relative_link_leads_to_a_file_and_a_heading_that_are_there(document):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (ROOT / document).parent / path if path else ROOT / document
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.resolve().relative_to(ROOT)), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_path_of_ours_that_is_named_is_there(document):
    named = re.findall(r"`((?:tests|functions|shared|events|docs)/[\w./-]*)`", prose(document))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_verb_of_make_and_every_parameter_that_is_named_there_is(document):
    text = read(document)
    verbs = set(re.findall(r"(?:`|^)make (?:\w+=\S+ )*([a-z]+)", text, re.MULTILINE))
    assert verbs <= set(re.findall(r"^(\w+):", MAKEFILE, re.MULTILINE))
    named = {name for params in re.findall(r'PARAMS="([^"]+)"', text) for name in re.findall(r"(\w+)=", params)}
    assert named - {"Name"} <= set(template()["Parameters"])


class Typed(Exception):
    """The command line understood what was typed, and would now ask."""


def understood(*_args, **_kwargs):
    raise Typed


def orders():
    """Every `facturacion …` of a block; the runbook's are tried where its alarms are."""
    for document in DOCUMENTS:
        for _, block in FENCED.findall(read(document)):
            for line in block.splitlines():
                if re.match(r"(\.venv/bin/)?facturacion ", line) and document.name != "RUNBOOK.md":
                    yield pytest.param(line.partition("#")[0], id=f"{document}: {line}")


@pytest.mark.parametrize("order", list(orders()))
def test_every_order_that_is_shown_the_command_line_understands(order, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    argv = shlex.split(order)[1:]
    if argv[0] == "validar":  # It asks nobody, and there is no such file here.
        assert main(argv) == 2 and "SinArchivo" in capsys.readouterr().out
        return
    with pytest.raises(Typed):
        main(argv, understood)


def test_the_entries_of_the_catalogue_that_are_shown_are_taken():
    (shown,) = (block for kind, block in FENCED.findall(read("docs/operating.md")) if kind == "yaml")
    parameters = yaml.safe_load(shown)
    assert set(parameters) <= set(template()["Parameters"]) and all(isinstance(v, str) for v in parameters.values())
    assert len(load_catalogue(parameters["ErrorCatalogue"]).entradas) > len(load_catalogue("").entradas)
