#!/usr/bin/env bash
# The one-vs-rest protocol: learns prompts on one class, tests them on all others, for several training classes, seeds
# and methods; then gathers everything in tables (mean ± std) and pages.
#   bash scripts/one_vs_rest.sh                                                        # the demo, all methods
#   DATA=/data/mvtec3d-rendered SEEDS="111 222 333" bash scripts/one_vs_rest.sh        # MVTec 3D-AD
#   DATASET=real_pc_3d_rgb DATA=/data/real3d-rendered ROWS="pointad views_5 sigma_2" bash scripts/one_vs_rest.sh
# Every variable below can be set in the environment; flags that train.py and test.py share can be given as arguments
# (--device cuda). Finished runs are skipped, so the same command continues after an interruption; use another SAVE
# for other flags.
# shellcheck disable=SC2046,SC2086  # lists of words; protocol.sh sees to it that they are no patterns
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/protocol.sh
python=$(bash scripts/setup.sh)

DATASET=${DATASET:-mvtec_pc_3d_rgb}     # format of the data, see --dataset of test.py
DATA=$(plain_path "${DATA:-}")           # rendered data set; empty: the demo data
CLASSES=${CLASSES:-$(training_classes "$DATASET" "$DATA")}   # training classes
SEEDS=${SEEDS:-111}
ROWS=${ROWS:-ensemble coop object_aware pointad}             # methods, see scripts/protocol.sh
EPOCH=${EPOCH:-15}
CLIP_WEIGHTS=${CLIP_WEIGHTS:-}          # demo, openai or a file; empty: demo for the demo data, else openai
FEATURES=${FEATURES:-results/features} # keeps the encoder's features for all rows and seeds; none: encodes anew
MAPS=${MAPS:-$([ -n "$DATA" ] && echo no || echo yes)}       # yes: pictures and clouds in the report, 1 MB a sample
SAVE=${SAVE:-results/one_vs_rest/$([ -n "$DATA" ] && basename "$DATA" || echo demo)}
TRAINED=$SAVE

# All is checked before anything runs.
check_names CLASSES $CLASSES
check_answer MAPS "$MAPS"
check_numbers SEEDS 0 $SEEDS
check_numbers EPOCH 1 "$EPOCH"
read_flags checked_flags both "${protocol_variables[@]}" feature_cache=FEATURES -- "$@"
check_rows ${flags[@]+"${flags[@]}"}
shared=(${CLIP_WEIGHTS:+--clip_weights "$CLIP_WEIGHTS"} ${flags[@]+"${flags[@]}"})
[ "$FEATURES" = none ] || shared+=(--feature_cache "$FEATURES")

runs=$(count_runs 1 $ROWS)
for row in $ROWS; do
  if [ "$row" = ensemble ]; then
    test_ensemble test "$DATASET" "$DATA" ${shared[@]+"${shared[@]}"}
    continue
  fi
  for seed in $SEEDS; do
    train_row "$(training_row "$row")" "$seed" "$DATASET" "$DATA" ${shared[@]+"${shared[@]}"}
    test_row "$row" "$seed" test "$DATASET" "$DATA" $(map_flags "$row" "$seed") ${shared[@]+"${shared[@]}"}
  done
done
"$python" scripts/report.py --save_path "$SAVE/report" --html "$SAVE/report" "$SAVE"
