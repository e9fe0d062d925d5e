#!/usr/bin/env bash
# Sets up the environment that the other scripts run in, and prints the python to use on its last line.
#   usage: PYTHON=$(bash scripts/setup.sh [requirements file...])
# A usable active environment (everything named in the requirements files installed) is used as it is; otherwise a
# .venv is created at the root. Finished steps are skipped. Everything but the last line goes to standard error.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
requirements=("${@:-requirements.txt}")

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $1"; say "run this, then the same command again:"; say "    $2"; exit 2; }

# An environment counts as usable when every requirement is met in it (names and versions).
usable() {
  "$1" - "${requirements[@]}" >/dev/null 2>&1 <<'PY'
import re
import sys
from importlib.metadata import version

if not (3, 10) <= sys.version_info[:2] < (3, 13):
    sys.exit(1)
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.split("#")[0].strip()
            if not line or line.startswith("-"):
                continue
            name, bounds = re.match(r"([A-Za-z0-9._-]+)\s*(.*)", line).groups()
            installed = version(name)
            try:
                from packaging.specifiers import SpecifierSet
            except ImportError:
                continue
            if not SpecifierSet(bounds).contains(installed, prereleases=True):
                sys.exit(1)
PY
}

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.12 python3.11 python3.10 python; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
    "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 13))' 2>/dev/null && { command -v "$candidate"; return; }
  done
  return 1
}

python=""
if [ -n "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && command -v python >/dev/null 2>&1 && usable "$(command -v python)"; then
  python=$(command -v python)
elif [ -x .venv/bin/python ] && usable .venv/bin/python; then
  python="$root/.venv/bin/python"
else
  base=$(find_python) || fail "no Python 3.10, 3.11 or 3.12 was found" "sudo apt-get install -y python3.12 python3.12-venv   # or set PYTHON to an installed one"
  if ! { [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1; }; then
    say "making .venv with $("$base" --version)"
    rm -rf .venv
    if ! "$base" -m venv .venv >&2; then
      rm -rf .venv
      if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing python3-venv"
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv; } >&2 || true
      fi
      "$base" -m venv .venv >&2 || fail "a virtual environment cannot be made" "sudo apt-get install -y python3-venv"
    fi
  fi
  say "installing ${requirements[*]} into .venv (about 7 GB with PyPI's torch, a few minutes)"
  arguments=()
  for file in "${requirements[@]}"; do arguments+=(-r "$file"); done
  .venv/bin/python -m pip install --quiet --disable-pip-version-check "${arguments[@]}" >&2 \
    || fail "the packages could not be installed" "$root/.venv/bin/python -m pip install ${arguments[*]}"
  python="$root/.venv/bin/python"
fi

# The system libraries that open3d's shared object needs to load; rendering itself opens no window.
missing_packages() {
  "$python" - <<'PY'
import ctypes

needs = {"libusb-1.0.so.0": "libusb-1.0-0", "libGL.so.1": "libgl1", "libEGL.so.1": "libegl1",
         "libX11.so.6": "libx11-6", "libgomp.so.1": "libgomp1"}
for library, package in needs.items():
    try:
        ctypes.CDLL(library)
    except OSError:
        print(package)
PY
}
missing=$(missing_packages | tr '\n' ' ')
if [ -n "${missing// /}" ]; then
  command="apt-get install -y $missing"
  if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    say "installing system libraries: $missing"
    # shellcheck disable=SC2086  # a list of package names
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing; } >&2 || true
  elif command -v apt-get >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    say "installing system libraries with sudo: $missing"
    # shellcheck disable=SC2086
    { sudo -n apt-get update -qq && sudo -n apt-get install -y -qq $missing; } >&2 || true
  fi
  missing=$(missing_packages | tr '\n' ' ')
  [ -z "${missing// /}" ] || fail "open3d needs system libraries that are missing: $missing" "sudo $command"
fi
printf '%s\n' "$python"
