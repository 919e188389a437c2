.PHONY: setup demo test lint bench
PYTHON_HERE = .venv/bin/python

setup: .venv/ready  ## everything into .venv; repeated only when the lists of packages change
.venv/ready: requirements.txt requirements-dev.txt
	@PYTHON="$(PYTHON)" sh scripts/setup.sh
demo: setup  ## the page, on http://127.0.0.1:7860
	@$(PYTHON_HERE) app.py
test: setup  ## all tests
	@$(PYTHON_HERE) -m pytest
lint: setup  ## style of the code
	@$(PYTHON_HERE) -m ruff check . && $(PYTHON_HERE) -m ruff format --check .
bench: setup  ## one JSON line per figure; ONLY=splat, posing, diffusion, head, restoration, preview or page for a part
	@$(PYTHON_HERE) -m tools.bench $(ONLY)
