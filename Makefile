# The verbs of the project. `make demo` and `make test` are all a newcomer needs; both make the virtual environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tools whose pins clash with ours live in environments of their own: these versions, nothing newer than that day.
TOOL := UV_EXCLUDE_NEWER=2026-11-10 $(BIN)/uvx --quiet --python $(BIN)/python
SAM ?= SAM_CLI_TELEMETRY=0 PATH="$(CURDIR)/$(BIN):$$PATH" $(TOOL) --from aws-sam-cli==1.170.0 sam
AUDIT := $(TOOL) --from pip-audit==2.10.1 pip-audit --strict --disable-pip --require-hashes
ENV ?= dev

.DEFAULT_GOAL := help
.PHONY: help demo test check explore fuzz load bench live package deploy scan audit drill up down status lock schemas clean

help:  ## What can be done
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

demo: $(VENV)  ## A few hundred comprobantes with every kind of trouble, on a local AWS, in about two minutes
	@$(BIN)/python -m tests.sandbox.demo

test: $(VENV)  ## All the tests: values, handlers on moto, the template on a local AWS
	PYTHONHASHSEED=0 $(BIN)/python -m pytest -n 2

check: $(VENV)  ## Format, lint, types, template
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/cfn-lint template.yaml events/consumer/template.yaml

explore: $(VENV)  ## Kill the program at every effect, on a virtual clock: python -m tests.explore --help says what else
	$(BIN)/python -m tests.explore

live: $(VENV)  ## An acceptance run against the real provider: make live CUENTA=… [LIVE="--port 8080 --yes …"]
	@$(BIN)/python -m tests.live --cuenta "$(CUENTA)" $(LIVE)

package: $(VENV)  ## Builds what would be deployed, looks into it, and prints its sizes (no Docker, no account)
	$(SAM) validate --lint
	rm -rf .aws-sam
	$(SAM) build
	chmod -R a+rX .aws-sam/build # Lambda reads as somebody else, whatever the umask here
	@$(BIN)/python -m tests.package .aws-sam/build

scan: $(VENV)  ## What Checkov has to say about the template; what it is not asked, and why: .checkov.yaml
	@$(TOOL) --from checkov==3.3.30 checkov --config-file .checkov.yaml

audit: scan  ## And known vulnerabilities of all that is locked (asks PyPI): fails on one, and on what it cannot ask about
	$(AUDIT) --requirement shared/requirements.txt
	$(AUDIT) --requirement requirements-dev.lock

deploy: package  ## Deploys to the account and region of your shell: make deploy [ENV=dev|prod] [PARAMS="Name=value …"|file://prod.yaml]
	$(SAM) deploy --config-env $(ENV) $(if $(PARAMS),--parameter-overrides "$$PARAMS")

bench: $(VENV)  ## What it costs, how fast, how far, beside the budgets: python -m tests.bench --help says what else
	@PYTHONHASHSEED=0 $(BIN)/python -m tests.bench

fuzz: $(VENV)  ## The webhook on the local AWS, fuzzed from its OpenAPI: make fuzz [EXAMPLES=1000] [SEED=…]
	@seed=$${SEED:-$$($(BIN)/python -c 'import random; print(random.randrange(10**6))')}; echo "Seed $$seed"; \
	FUZZ_SEED=$$seed FUZZ_EXAMPLES=$${EXAMPLES:-1000} $(BIN)/python -m pytest tests/e2e/test_open_door.py --timeout=3600

load: $(VENV)  ## 20,000 comprobantes on the local AWS while functions are killed: python -m tests.load --help says what else
	@$(BIN)/python -m tests.load

drill: $(VENV)  ## A running stack of REF=<tag> updated to this tree and rolled back, under traffic, on a local AWS
	UPDATE_FROM="$(REF)" $(BIN)/python -m pytest -p no:cacheprovider tests/e2e/test_update.py

up: $(VENV)  ## A local AWS that stays: make up [PROVIDER_URL=…] [PARAMS="Name=value …"] [CUENTAS="a,b"] [PORT=…]
	@$(BIN)/python -m tests.sandbox up

down: $(VENV)  ## Ends what `make up` started
	@$(BIN)/python -m tests.sandbox down

status: $(VENV)  ## Whether it runs
	@$(BIN)/python -m tests.sandbox status

schemas: $(VENV)  ## Writes the published JSON Schemas anew from the models
	PYTHONPATH=shared $(BIN)/python -m tests.schemas

lock: $(VENV)  ## Writes the locks anew
	$(BIN)/uv pip compile pyproject.toml --group dev --python-version 3.11 --universal --generate-hashes --no-header --quiet --upgrade -o requirements-dev.lock
	$(BIN)/uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes --no-header --quiet -c requirements-dev.lock -o shared/requirements.txt

$(VENV): requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	ln -sf ../../functions/operate/facturacion $(BIN)/facturacion
	@touch $(VENV)

clean:  ## Removes everything that was generated
	@test ! -d .sandbox -o ! -x $(BIN)/python || $(BIN)/python -m tests.sandbox down
	rm -rf $(VENV) .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis
