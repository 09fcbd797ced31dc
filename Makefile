# What one can do here. Every target says what it does; all of them can be run again at any time.
SHELL := /bin/sh
UV := PATH="$(CURDIR)/.run/bin:$$PATH" uv
RUN := $(UV) run --locked

# Tests and demo start hundreds of processes: what Python compiled is kept, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo down stop start clean logs cli token test lint docs bench bench-check soak fresh

help: ## list what one can do here
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install Python, uv and the locked packages into this folder
	@setup/python.sh
	@setup/htmx.sh

demo: setup ## start Orthanc, the FHIR server and the mapper, upload sample studies, show them in FHIR
	@$(RUN) python -m demo up

down: setup ## stop the demo and keep its data
	@$(RUN) python -m demo down

stop: setup ## stop one server of the demo alone, to see an outage: make stop ONE=fhir (or orthanc, mapper, database)
	@$(RUN) python -m demo stop $(ONE)

start: setup ## start it again: make start ONE=fhir
	@$(RUN) python -m demo start $(ONE)

clean: setup ## stop the demo and remove its data
	@$(RUN) python -m demo clean

logs: setup ## follow the demo's logs
	@$(RUN) python -m demo logs

cli: ## run a command of orthanc-fhir in the demo (make ends with 2 where it fails): make cli ARGS="studies --state parked"
	@$(RUN) python -m demo cli $(ARGS)

token: ## let somebody in to the demo's mapper: make token NAME=alice ROLE=values (or read, operate)
	@$(RUN) python -m demo token $(NAME) --role $(or $(ROLE),read)

test: lint ## run every test, real servers and a real browser included
	@case "$$PYTEST_ADDOPTS" in \
	    *"not live"*) echo "tests marked live are left out: no server is installed" ;; \
	    *) setup/native.sh && setup/browser.sh && { [ "$$(id -u)" != 0 ] || setup/orthanc-trixie.sh; } ;; \
	esac
	@$(RUN) pytest -rs -n 2 --no-loadscope-reorder

lint: setup ## check style, types and printed documentation
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(RUN) python docs/printed.py --check

docs: setup ## print the documentation that comes from the code
	@$(RUN) python docs/printed.py

bench: setup ## measure what the README says in figures, and print it there (half an hour at the most)
	@setup/native.sh
	@[ "$$(id -u)" != 0 ] || setup/orthanc-trixie.sh
	@setup/dicom2fhir.sh
	@$(RUN) python -m bench

bench-check: setup ## is the mapper as quick as the committed baseline (two minutes)
	@$(RUN) python -m bench.check

soak: setup ## many examples of every property, then many random walks and faults, as root (fifteen minutes)
	@setup/native.sh
	@setup/orthanc-trixie.sh
	@$(RUN) pytest -q -n 2 --no-loadscope-reorder -m "hypothesis and not live" --hypothesis-profile=many
	@$(RUN) pytest -q -n 2 --no-loadscope-reorder --hypothesis-profile=many -m "not hypothesis" tests/maps
	@$(RUN) python -m tests.convergence

fresh: ## try `make demo` and `make test` in a container of bare Debian 12 (an hour or less)
	@setup/fresh.sh
