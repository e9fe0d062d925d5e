#!/usr/bin/env bash
# Runs the checks and the tests in the environment of scripts/setup.sh.
#   bash scripts/run_tests.sh              # format, lint, types, and the fast tests with coverage
#   bash scripts/run_tests.sh tests/model  # the checks, and only these tests
#   bash scripts/run_tests.sh -m slow      # any pytest arguments
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=$(bash scripts/setup.sh requirements.txt requirements-serve.txt requirements-dev.txt)

"$python" -m ruff check .
"$python" -m ruff format --check .
"$python" -m mypy
if [ $# -gt 0 ]; then
  exec "$python" -m pytest "$@"
fi
exec "$python" -m pytest --cov=pointad --cov-report=term:skip-covered
