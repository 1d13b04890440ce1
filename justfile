# Every habit of the project, one command each. `just` lists them; `.venv/bin/just` is there after setup.
# Without just, copy the line.

_list:
    @{{quote(just_executable())}} --list --unsorted

# Make .venv, with the pinned versions
setup:
    python3 -m venv .venv && .venv/bin/pip install -r constraints.txt && .venv/bin/pip install --no-deps --no-build-isolation -e .

# All tests
test:
    .venv/bin/pytest

# The tests that take no longer than a coffee: every module, on two cores in less than 90 seconds
fast:
    .venv/bin/pytest -m "not slow"

# Long forms of the tests that draw what they try: an hour or more
long:
    TALONONE_GATE_EXAMPLES=8000 TALONONE_SANDBOX_EXAMPLES=10000 TALONONE_COUPON_EXAMPLES=2000 .venv/bin/pytest tests/property tests/workflows/test_check_coupon.py

# Style, spelling, and whether the made pages are up to date
lint:
    .venv/bin/ruff check .
    .venv/bin/ruff format --check .
    .venv/bin/codespell .
    .venv/bin/python -m release.references --check

# Types
types:
    .venv/bin/mypy

# Mend what ruff can
fix:
    .venv/bin/ruff check --fix . && .venv/bin/ruff format .

# Renew the pages that are made from the catalog, the prompts and the settings
docs:
    .venv/bin/python -m release.references

# Renew the snapshot of the tools that clients see
snapshots:
    UPDATE_SNAPSHOTS=1 .venv/bin/pytest -n 0 tests/unit/test_surface.py

# Renew the facts that contract tests compare with, from the table of operations in a folder
facts table:
    .venv/bin/python -m tests.contract.digest {{table}} && .venv/bin/python -m tests.contract.answers

# Pin versions anew after a change of pyproject.toml (wants uv)
pins:
    uv pip compile --universal --python-version 3.11 --generate-hashes --extra dev --no-header --no-annotate pyproject.toml -o constraints.txt
    uv pip compile --universal --python-version 3.11 --generate-hashes --resolution lowest-direct --extra dev --no-header --no-annotate pyproject.toml -o constraints-lowest.txt
    .venv/bin/python -m release.pins

# All benchmarks, against a peer in the same run
bench:
    .venv/bin/python -m bench

# A host, the server and a Talon.One in a box, talking
demo:
    .venv/bin/talonone-mcp demo

# All that CI does, from a fresh clone of what is committed
ci:
    bash .ci/run
