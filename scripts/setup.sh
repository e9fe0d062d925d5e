#!/usr/bin/env bash
# Sets up the environment that the other scripts run in, and prints the python to use on its last line.
#   usage: PYTHON=$(bash scripts/setup.sh [requirements file...])
# A usable active environment (everything named in the requirements files installed) is used as it is; otherwise a
# .venv is created at the root. Finished steps are skipped. Everything but the last line goes to standard error.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # sh may be another shell
[ ! -L "$0" ] || exec bash "$(realpath "$0")" "$@"  # what it needs lies beside the script, not beside a link to it
set -euo pipefail
unset CDPATH  # cd would print where it goes
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
requirements=("${@:-requirements.txt}")

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $1"; say "run this in $root, then the same command again:"; say "    $2"; exit 2; }

# Otherwise an installation that is interrupted would be told as one that failed.
trap 'say "interrupted; run the same command again to continue"; trap - INT; kill -INT $$' INT

# An environment counts as usable when every requirement is met in it (names and versions).
usable() {
  "$1" - "${requirements[@]}" >/dev/null 2>&1 <<'PY'
import sys
from importlib.metadata import version

try:
    from packaging.requirements import Requirement
except ImportError:
    from pip._vendor.packaging.requirements import Requirement

if not (3, 10) <= sys.version_info[:2] < (3, 15):
    sys.exit(1)
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.split("#")[0].strip()
            if not line or line.startswith("-"):
                continue
            requirement = Requirement(line)
            if requirement.marker is not None and not requirement.marker.evaluate():
                continue
            if not requirement.specifier.contains(version(requirement.name), prereleases=True):
                sys.exit(1)
PY
}

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do
    if [ -z "$candidate" ] || ! command -v "$candidate" >/dev/null 2>&1; then continue; fi
    "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 15))' 2>/dev/null && { command -v "$candidate"; return; }
  done
  return 1
}

# Sets python to an environment that has everything, if there is one.
python=""
find_usable() {
  if [ -n "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && command -v python >/dev/null 2>&1 && usable "$(command -v python)"; then
    python=$(command -v python)
  elif [ -x .venv/bin/python ] && usable .venv/bin/python; then
    python="$root/.venv/bin/python"
  fi
}

# Only an environment with this mark and without pip is ever removed: making it here was interrupted.
mark=.venv/made_by_setup
make_environment() {  # PYTHON
  { rm -rf .venv && mkdir .venv && touch "$mark"; } 2>/dev/null || fail_without_environment "no permission, or no space"
  "$1" -m venv .venv >&2
}

fail_without_environment() {  # WHY
  fail "$root/.venv cannot be made: $1" \
    "python3 -m pip install$(printf ' -r %s' "${requirements[@]}")   # in an active environment; or copy this folder elsewhere"
}

# Whether making the environment came to its end, whoever may use it: this is written last.
is_whole() {
  local written
  for written in .venv/lib/python3*/site-packages/pip-*.dist-info/INSTALLER; do [ ! -f "$written" ] || return 0; done
  return 1
}

find_usable
if [ -z "$python" ]; then
  # Of several first runs at once, one makes the environment, and the others wait for it.
  exec 9< scripts/setup.sh
  if command -v flock >/dev/null 2>&1 && ! flock -n 9; then
    say "waiting for another run that makes .venv"
    flock 9
  fi
  find_usable
fi
if [ -z "$python" ]; then
  if ! base=$(find_python); then
    python3 -c '' >&2 || true  # says why, where there is one that does not start
    fail "no Python 3.10 to 3.14 was found that starts" "sudo apt-get install -y python3 python3-venv   # or set PYTHON to an installed one"
  fi
  if is_whole; then
    .venv/bin/python -c '' 2>/dev/null \
      || fail ".venv/bin/python does not start here: it was made by another user or Python, or on another machine" \
        "mv .venv .venv-other   # or remove it, if nobody uses it any more"
  else
    if { [ -e .venv ] || [ -L .venv ]; } && [ ! -f "$mark" ]; then
      fail ".venv was not made by this script, and lacks pip or some of ${requirements[*]}" \
        "uv pip install --python .venv/bin/python$(printf ' -r %s' "${requirements[@]}")   # or move .venv away"
    fi
    say "making .venv with $("$base" --version)"
    if ! make_environment "$base"; then
      "$base" -c 'import ensurepip' 2>/dev/null && fail_without_environment "see above"
      if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing python3-venv"
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv; } >&2 || true
      fi
      make_environment "$base" || fail "a virtual environment cannot be made" "sudo apt-get install -y python3-venv"
    fi
  fi
  say "installing ${requirements[*]} into .venv (about 7 GB with PyPI's torch, a few minutes)"
  arguments=()
  for file in "${requirements[@]}"; do arguments+=(-r "$file"); done
  .venv/bin/python -m pip install --quiet --disable-pip-version-check "${arguments[@]}" >&2 \
    || fail "the packages could not be installed" ".venv/bin/python -m pip install ${arguments[*]}"
  python="$root/.venv/bin/python"
  usable "$python" \
    || fail "pip ended well, yet .venv lacks some of ${requirements[*]}: pip's variables or configuration may send packages elsewhere" \
      ".venv/bin/python -m pip config list   # and take out target, prefix, root or dry-run; see also env | grep PIP_"
  # For Python 3.13 and later fpsample must be compiled. Where that fails, Open3D thins large clouds, slower.
  if ! "$python" -c 'import fpsample' 2>/dev/null; then
    "$python" -m pip install --quiet --disable-pip-version-check fpsample >/dev/null 2>&1 \
      || say "fpsample could not be compiled (it needs a C++ compiler): thinning clouds of Real3D-AD and its like is slower"
  fi
fi

# The system libraries that open3d's shared object needs to load; rendering itself opens no window.
missing_packages() {
  "$python" - <<'PY'
import ctypes
import sys

needs = {"libusb-1.0.so.0": "libusb-1.0-0", "libGL.so.1": "libgl1", "libEGL.so.1": "libegl1",
         "libX11.so.6": "libx11-6", "libgomp.so.1": "libgomp1"}
for library, package in needs.items() if sys.platform == "linux" else ():
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
