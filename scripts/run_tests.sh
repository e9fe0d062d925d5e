#!/usr/bin/env bash
# Runs the checks and the tests in the environment of scripts/setup.sh.
#   bash scripts/run_tests.sh              # format, lint, types, and the fast tests with coverage, on up to four cores
#   bash scripts/run_tests.sh tests/model  # the checks, and only these tests
#   bash scripts/run_tests.sh -m slow      # any pytest arguments
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # sh may be another shell
[ ! -L "$0" ] || exec bash "$(realpath "$0")" "$@"  # what it needs lies beside the script, not beside a link to it
set -euo pipefail
unset CDPATH  # cd would print where it goes
cd "$(dirname "${BASH_SOURCE[0]}")/.."
trap 'trap - INT; kill -INT $$' INT  # also while Chromium is installed
python=$(bash scripts/setup.sh requirements.txt requirements-serve.txt requirements-siglip.txt requirements-dev.txt)

# The browser tests open Chromium; where it cannot be installed they are skipped.
has_browser() { PYTHONPATH=tests "$python" -c 'import sys; from headless_chromium import browser_path; sys.exit(browser_path() is None)'; }
install_browser() { "$@" apt-get update -qq && "$@" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; }
if ! has_browser; then
  echo "installing Chromium for the browser tests" >&2
  if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    install_browser >&2 || true
  elif command -v apt-get >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    install_browser sudo -n >&2 || true
  fi
  has_browser || echo "Chromium could not be installed: the browser tests will be skipped" >&2
fi

"$python" -m ruff check .
"$python" -m ruff format --check .
"$python" -m mypy
if [ $# -gt 0 ]; then
  exec "$python" -m pytest "$@"
fi
# Each process takes up to 1.5 GB.
exec "$python" -m pytest -n auto --maxprocesses 4 --dist loadfile --cov=pointad --cov-report=term:skip-covered
