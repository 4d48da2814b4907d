# `make run` and `make test` are all a reader needs; both set up what is missing.
# Another Python: make run PYTHON=python3.12      Options of the server: make run ARGS="--port 8600 --no-browser"
# PyTorch's build: make run TORCH=cuda (or cpu); without the word, the one that fits this machine.
# On Windows, without make: python playground\bootstrap.py run
PYTHON ?= python3
ARGS ?=
TORCH ?=
BOOTSTRAP = @$(PYTHON) playground/bootstrap.py
WORD = $(if $(TORCH),--torch $(TORCH))

.PHONY: help run test check fmt bench screenshots explore trained page clean

help:           ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /	/' | expand -t 16

run:            ## set up what is missing, start the server on http://127.0.0.1:8501
	$(BOOTSTRAP) run $(WORD) $(ARGS)

test:           ## set up what is missing, then lint, types and all tests
	$(BOOTSTRAP) test $(WORD) $(ARGS)

check:          ## lint, types and all tests, with what is installed
	$(BOOTSTRAP) check $(ARGS)

fmt:            ## format the code, fix what ruff can fix
	$(BOOTSTRAP) fmt

bench:          ## measure against the peers (benchmarks/results.json)
	$(BOOTSTRAP) bench $(ARGS)

screenshots:    ## the pictures of the README, from the running app
	$(BOOTSTRAP) screenshots $(ARGS)

explore:        ## operate every control of every page (an hour; ARGS="--page sampling --language ko")
	$(BOOTSTRAP) explore $(ARGS)

trained:        ## train again what is shipped in assets/trained/ (minutes; ARGS="dates-t5" for one)
	$(BOOTSTRAP) trained $(ARGS)

page:           ## the files of a new page (NAME=seq_to_seq)
	$(BOOTSTRAP) page $(NAME)

clean:          ## remove what set-up and tests made here (the models stay in the user's cache)
	rm -rf .venv .venv.lock build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis benchmarks/results.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
