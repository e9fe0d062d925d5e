#!/usr/bin/env bash
# Runs tests with the lowest versions that the requirements allow, or with the newest ones, in an environment of its own.
#   bash tools/test_bounds.sh lowest 3.11              # the goldens, the command line, the readers and the service
#   bash tools/test_bounds.sh newest 3.12 tests/model  # any arguments of pytest
#   bash tools/test_bounds.sh lowest 3.10 --resolve    # only looks whether such versions exist, as wheels, and fit together
# Needs uv (python -m pip install uv), and that Python or a way for uv to get it. About 8 GB in $BOUNDS.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # sh may be another shell
set -euo pipefail
unset CDPATH  # cd would print where it goes
cd "$(dirname "${BASH_SOURCE[0]}")/.."
which=${1:?lowest or newest}
version=${2:?version of Python, such as 3.11}
shift 2
case $which in
  lowest) resolution=lowest-direct ;;
  newest) resolution=highest ;;
  *) echo "error: $which: unknown; give lowest or newest" >&2; exit 2 ;;
esac
BOUNDS=${BOUNDS:-/tmp/pointad-bounds}
mkdir -p "$BOUNDS"
versions=$BOUNDS/$which-$version.txt
uv pip compile --quiet --python-version "$version" --resolution "$resolution" --only-binary :all: --no-annotate \
  --no-header --output-file "$versions" requirements.txt requirements-serve.txt requirements-siglip.txt \
  requirements-dev.txt
echo "$(wc -l < "$versions") packages in $versions"
[ "${1:-}" != --resolve ] || exit 0
environment=$BOUNDS/$which-$version
[ -x "$environment/bin/python" ] || uv venv --quiet --python "$version" "$environment"
uv pip sync --quiet --python "$environment/bin/python" "$versions"
[ $# -gt 0 ] || set -- tests/golden tests/commands/test_golden_runs.py tests/commands/test_entry.py \
  tests/commands/test_serve.py tests/scans tests/files
"$environment/bin/python" -m pytest -q "$@"
