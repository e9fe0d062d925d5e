#!/usr/bin/env bash
# The one-vs-rest protocol: learns prompts on one class, tests them on all others, for several training classes, seeds
# and methods; then gathers everything in tables (mean ± std) and pages.
#   bash scripts/one_vs_rest.sh                                                        # the demo, all methods
#   DATA=/data/mvtec3d-rendered SEEDS="111 222 333" bash scripts/one_vs_rest.sh        # MVTec 3D-AD
#   DATASET=real_pc_3d_rgb DATA=/data/real3d-rendered ROWS="pointad views_5 sigma_2" bash scripts/one_vs_rest.sh
# Every variable below can be set in the environment; flags that train.py and test.py share can be given as arguments
# (--device cuda). Finished runs are skipped, so the same command continues after an interruption; use another SAVE
# for other flags. Relative paths start in the working folder.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # sh may be another shell
[ ! -L "$0" ] || exec bash "$(realpath "$0")" "$@"  # what it needs lies beside the script, not beside a link to it
set -euo pipefail
unset CDPATH  # cd would print where it goes
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/protocol.sh
source "$root/scripts/protocol.sh"
python=$(bash "$root/scripts/setup.sh")

DATASET=${DATASET:-mvtec_pc_3d_rgb}     # format of the data, see --dataset of test.py
DATA=$(plain_path "${DATA:-}")           # rendered data set; empty: the demo data
CLASSES=${CLASSES:-$(training_classes "$DATASET" "$DATA")}   # training classes
SEEDS=${SEEDS:-111}
ROWS=${ROWS:-ensemble coop object_aware pointad}             # methods, see scripts/protocol.sh
EPOCH=${EPOCH:-15}
CLIP_WEIGHTS=${CLIP_WEIGHTS:-}          # demo, openai or a file; empty: demo for the demo data, else openai
FEATURES=$(plain_path "${FEATURES:-results/features}")   # keeps the encoder's features for all rows and seeds; none: encodes anew
MAPS=${MAPS:-$([ -n "$DATA" ] && echo no || echo yes)}       # yes: pictures and clouds in the report, 1 MB a sample
SAVE=$(plain_path "${SAVE:-results/one_vs_rest/$([ -n "$DATA" ] && name_of "$DATA" || echo demo)}")
[ -z "${TRAINED:-}" ] || note "TRAINED is ignored here; prompts are searched and written in SAVE ($SAVE)"
TRAINED=$SAVE

check_protocol "$@"
check_epochs test
count_runs 1
for row in $ROWS; do
  run_row "$row" test "$DATASET" "$DATA" ${shared[@]+"${shared[@]}"}
done
report
