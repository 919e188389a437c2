.PHONY: setup demo test lint bench coverage profile gpu-check drill
PYTHON_HERE = .venv/bin/python

setup: .venv/ready  ## everything into .venv; repeated only when the lists of packages change
.venv/ready: requirements.txt requirements-dev.txt
	@PYTHON="$(PYTHON)" sh scripts/setup.sh
demo: setup  ## the page, on http://127.0.0.1:7860
	@$(PYTHON_HERE) app.py
# Files of tests side by side, one for each of at most four processors; threads of each are one.
test: setup  ## all tests
	@OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(PYTHON_HERE) -m pytest -n auto --maxprocesses 4 --dist loadfile
lint: setup  ## style and types of the code, known flaws of the packages
	@$(PYTHON_HERE) -m ruff check . && $(PYTHON_HERE) -m ruff format --check .
	@$(PYTHON_HERE) -m basedpyright
	@$(PYTHON_HERE) -m tools.audit
bench: setup  ## one JSON line per figure; ONLY=body, posing, splat, loss, diffusion, head, restoration, train, preview, page or viewer
	@$(PYTHON_HERE) -m tools.bench $(ONLY)
coverage: setup  ## all tests, with the share of lines and branches they reach as the last lines
	@$(PYTHON_HERE) -m pytest --cov --cov-report=term:skip-covered
profile: setup  ## where the seconds go, as a table and a trace; PRESET=quick for another preset
	@$(PYTHON_HERE) -m tools.profile $(PRESET)
gpu-check: setup  ## all GPU tests and the whole bench into gpu-check.json, within eight minutes
	@$(PYTHON_HERE) -m tools.gpu_check $(ARGUMENTS)
drill: setup  ## runs that are killed, hostile visitors, many jobs in a row; ONLY=faults, hostile or soak
	@OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(PYTHON_HERE) -m tools.drill $(ONLY)
