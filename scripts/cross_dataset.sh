#!/usr/bin/env bash
# The cross-dataset protocol: learns prompts on classes of one data set, tests them on all classes of others; then
# gathers everything in tables (mean ± std) and pages.
#   bash scripts/cross_dataset.sh                                       # the demo, in the formats of three data sets
#   DATA=/data/mvtec3d-rendered bash scripts/cross_dataset.sh eye_pc_3d_rgb=/data/eye real_pc_3d_rgb=/data/real3d
# Arguments <data set>=<rendered folder> name the targets; others are flags that train.py and test.py share (--device
# cuda). Every variable below can be set in the environment. Prompts trained by one_vs_rest.sh are reused, finished
# runs are skipped; use another SAVE and TRAINED for other flags.
# shellcheck disable=SC2046,SC2086  # lists of words; protocol.sh sees to it that they are no patterns
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/protocol.sh
python=$(bash scripts/setup.sh)

DATASET=${DATASET:-mvtec_pc_3d_rgb}     # format of the training data
DATA=$(plain_path "${DATA:-}")           # its rendered folder; empty: the demo data
CLASSES=${CLASSES:-$(training_classes "$DATASET" "$DATA")}   # training classes
SEEDS=${SEEDS:-111}
ROWS=${ROWS:-ensemble coop pointad}     # methods, see scripts/protocol.sh
EPOCH=${EPOCH:-15}
CLIP_WEIGHTS=${CLIP_WEIGHTS:-}          # demo, openai or a file; empty: demo for the demo data, else openai
FEATURES=${FEATURES:-results/features} # keeps the encoder's features for all rows and seeds; none: encodes anew
MAPS=${MAPS:-no}                        # yes: pictures and clouds in the report, 1 MB a sample
name=$([ -n "$DATA" ] && basename "$DATA" || echo demo)
SAVE=${SAVE:-results/cross_dataset/$name}
TRAINED=${TRAINED:-results/one_vs_rest/$name}                # where prompts are searched, and written if missing
DEMO_TARGET_CLASSES=${DEMO_TARGET_CLASSES:-button croissant pear}   # of the demo targets; none of the training classes

targets=() flags=()
for argument in "$@"; do
  case $argument in
    -*) flags+=("$argument") ;;
    *_pc_3d*=* | folder=*)
      check_names "the target $argument" "${argument%%=*}"
      targets+=("${argument%%=*}=$(plain_path "${argument#*=}")") ;;
    *) flags+=("$argument") ;;
  esac
done
# All is checked before anything runs.
check_names CLASSES $CLASSES
check_names DEMO_TARGET_CLASSES $DEMO_TARGET_CLASSES
check_answer MAPS "$MAPS"
check_numbers SEEDS 0 $SEEDS
check_numbers EPOCH 1 "$EPOCH"
read_flags checked_flags both "${protocol_variables[@]}" feature_cache=FEATURES -- ${flags[@]+"${flags[@]}"}
check_rows ${flags[@]+"${flags[@]}"}
if [ "${#targets[@]}" -eq 0 ] && [ -n "$DATA" ]; then
  echo "error: no target is given; give at least one: bash scripts/cross_dataset.sh eye_pc_3d_rgb=FOLDER real_pc_3d_rgb=FOLDER" >&2
  exit 2
fi

# The demo's objects, scanned and stored as another data set would be.
demo_target() {  # FORMAT DATASET
  local folder=data/demo/$1
  if [ ! -f "$folder/rendered/all_meta.json" ]; then
    "$python" scripts/make_demo_data.py --format "$1" --output "$folder/raw" --classes $DEMO_TARGET_CLASSES
    "$python" scripts/render_dataset.py --dataset "$2" --data_path "$folder/raw" --save_path "$folder/rendered"
  fi
  local found wanted
  found=$(find "$folder/rendered" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | LC_ALL=C sort | xargs)
  wanted=$(printf '%s\n' $DEMO_TARGET_CLASSES | LC_ALL=C sort -u | xargs)
  if [ -n "$found" ] && [ "$found" != "$wanted" ]; then
    echo "error: $folder: holds the classes $found, not $wanted; set DEMO_TARGET_CLASSES to these, or remove the folder" >&2
    return 2
  fi
  targets+=("$2=$folder/rendered")
}
if [ "${#targets[@]}" -eq 0 ]; then
  demo_target eyecandies eye_pc_3d_rgb
  demo_target real3d real_pc_3d_rgb
fi

[ -n "$DATA" ] || CLIP_WEIGHTS=${CLIP_WEIGHTS:-demo}   # the demo's prompts go with the demo's backbone, on any target
shared=(${CLIP_WEIGHTS:+--clip_weights "$CLIP_WEIGHTS"} ${flags[@]+"${flags[@]}"})
[ "$FEATURES" = none ] || shared+=(--feature_cache "$FEATURES")
runs=$(count_runs "${#targets[@]}" $ROWS)
for row in $ROWS; do
  for target in "${targets[@]}"; do
    dataset=${target%%=*} folder=${target#*=}
    if [ "$row" = ensemble ]; then
      test_ensemble "$dataset" "$dataset" "$folder" ${shared[@]+"${shared[@]}"}
      continue
    fi
    for seed in $SEEDS; do
      train_row "$(training_row "$row")" "$seed" "$DATASET" "$DATA" ${shared[@]+"${shared[@]}"}
      test_row "$row" "$seed" "$dataset" "$dataset" "$folder" $(map_flags "$row" "$seed") ${shared[@]+"${shared[@]}"}
    done
  done
done
"$python" scripts/report.py --save_path "$SAVE/report" --html "$SAVE/report" "$SAVE"
