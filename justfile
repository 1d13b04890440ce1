# Every habit of the project, one command each. `just` lists them; setup installs it as .venv/bin/just.
# Without just, copy a recipe's line.

_list:
    @{{quote(just_executable())}} --list --unsorted

# Create .venv with the pinned versions
setup:
    python3 -m venv .venv && .venv/bin/pip install -r constraints.txt && .venv/bin/pip install --no-deps --no-build-isolation -e .

# All tests
test:
    .venv/bin/pytest

# The tests that are not slow: every module, in under 90 seconds on two cores
fast:
    .venv/bin/pytest -m "not slow"

# The tests that draw examples, with far more of them: an hour or more
long:
    TALONONE_GATE_EXAMPLES=8000 TALONONE_SANDBOX_EXAMPLES=10000 TALONONE_COUPON_EXAMPLES=2000 .venv/bin/pytest tests/property tests/workflows/test_check_coupon.py

# Check style, spelling, and that made pages are up to date
lint:
    .venv/bin/ruff check .
    .venv/bin/ruff format --check .
    .venv/bin/codespell .
    .venv/bin/python -m release.references --check

# Check types
types:
    .venv/bin/mypy

# Fix what ruff can
fix:
    .venv/bin/ruff check --fix . && .venv/bin/ruff format .

# Renew the pages made from the catalog, prompts and settings
docs:
    .venv/bin/python -m release.references

# Renew the snapshot of the tools that clients see
snapshots:
    UPDATE_SNAPSHOTS=1 .venv/bin/pytest -n 0 tests/unit/test_surface.py

# Renew the facts that contract tests compare with, from the folder of the table of operations
facts table:
    .venv/bin/python -m tests.contract.digest {{table}} && .venv/bin/python -m tests.contract.answers

# Renew the pins after a change to pyproject.toml (needs uv)
pins:
    uv pip compile --universal --python-version 3.11 --generate-hashes --extra dev --no-header --no-annotate pyproject.toml -o constraints.txt
    uv pip compile --universal --python-version 3.11 --generate-hashes --resolution lowest-direct --extra dev --no-header --no-annotate pyproject.toml -o constraints-lowest.txt
    .venv/bin/python -m release.pins

# Run all benchmarks
bench:
    .venv/bin/python -m bench

# Run the demo: a host, the server and the sandbox
demo:
    .venv/bin/talonone-mcp demo

# Run what CI runs, from a fresh clone of what is committed
ci:
    bash .ci/run
