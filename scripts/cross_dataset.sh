#!/usr/bin/env bash
# The cross-dataset protocol: learns prompts on classes of one data set, tests them on all classes of others; then
# gathers everything in tables (mean ± std) and pages.
#   bash scripts/cross_dataset.sh                                       # the demo, in the formats of three data sets
#   DATA=/data/mvtec3d-rendered bash scripts/cross_dataset.sh eye_pc_3d_rgb=/data/eye real_pc_3d_rgb=/data/real3d
#   DATASET=folder DATA=/data/nuts DATA_NAME=nuts CLASSES=m8 bash scripts/cross_dataset.sh folder:bolts=/data/bolts
# Arguments <data set>=<rendered folder> name the targets; others are flags that train.py and test.py share (--device
# cuda). <data set>:<name>=<folder> also says what to call data of your own, and DATA_NAME what to call those of the
# training: two names say that they are two data sets, which one format does not tell. Every variable below can be set in the environment; relative paths start in the working folder. Prompts trained
# by one_vs_rest.sh are reused, finished runs are skipped; use another SAVE and TRAINED for other flags.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # sh may be another shell
[ ! -L "$0" ] || exec bash "$(realpath "$0")" "$@"  # what it needs lies beside the script, not beside a link to it
set -euo pipefail
unset CDPATH  # cd would print where it goes
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/protocol.sh
source "$root/scripts/protocol.sh"
python=$(bash "$root/scripts/setup.sh")

DATASET=${DATASET:-mvtec_pc_3d_rgb}     # format of the training data
DATA=$(plain_path "${DATA:-}")           # its rendered folder; empty: the demo data
DATA_NAME=${DATA_NAME:-}                 # what tables call the training data; empty: see --data_name of train.py
CLASSES=${CLASSES:-$(training_classes "$DATASET" "$DATA")}   # training classes
SEEDS=${SEEDS:-111}
ROWS=${ROWS:-ensemble coop pointad}     # methods, see scripts/protocol.sh
EPOCH=${EPOCH:-15}
CLIP_WEIGHTS=${CLIP_WEIGHTS:-$([ -n "$DATA" ] || echo demo)}   # demo, openai or a file; empty: openai
FEATURES=$(plain_path "${FEATURES:-results/features}")   # keeps the encoder's features for all rows and seeds; none: encodes anew
MAPS=${MAPS:-no}                        # yes: pictures and clouds in the report, 1 MB a sample
name=$([ -n "$DATA" ] && name_of "$DATA" || echo demo)
SAVE=$(plain_path "${SAVE:-results/cross_dataset/$name}")
TRAINED=$(plain_path "${TRAINED:-results/one_vs_rest/$name}")   # where prompts are searched, and written if missing
DEMO_TARGET_CLASSES=${DEMO_TARGET_CLASSES:-button croissant pear}   # of the demo targets; none of the training classes

# What the results of a target lie below: its name if it has one, else its data set.
name_of_target() {  # DATA SET[:NAME]=FOLDER
  local target=${1%%=*}
  echo "${target#*:}"
}

targets=() names=() flags=()
for argument in "$@"; do
  case $argument in
    -*) flags+=("$argument") ;;
    *_pc_3d*= | folder= | folder:*=) fail "the target ${argument%=}: names no folder; omit it, or set the variable that it comes from" ;;
    *_pc_3d*=* | folder=* | folder:*=*)
      names+=("$(name_of_target "$argument")")
      targets+=("${argument%%=*}=$(plain_path "${argument#*=}")") ;;
    *) flags+=("$argument") ;;
  esac
done
# All is checked before anything runs.
if [ "${#targets[@]}" -eq 0 ]; then
  [ -z "$DATA" ] || fail "no target is given; give at least one: bash scripts/cross_dataset.sh eye_pc_3d_rgb=FOLDER real_pc_3d_rgb=FOLDER"
else
  check_names "the targets" "${names[@]}"
  case " ${names[*]} " in *" train "*) fail "the targets: train is the folder of the prompts; choose another name" ;; esac
  for target in "${targets[@]}"; do
    dataset=${target%%=*}
    checked_flags --program test -- --dataset "${dataset%%:*}" > /dev/null
    check_data "the target $dataset" "${target#*=}"
    told=$(sed -n 's/^  "dataset": "\([a-z0-9_]*\)",$/\1/p' "${target#*=}/rendering.json" 2> /dev/null || true)
    [ "${told:-${dataset%%:*}}" = "${dataset%%:*}" ] \
      || fail "the target $dataset: ${target#*=} was rendered from $told; write $told instead of ${dataset%%:*}"
  done
fi
# shellcheck disable=SC2086  # a list of words
check_names DEMO_TARGET_CLASSES $DEMO_TARGET_CLASSES
[ -z "$DATA_NAME" ] || check_names DATA_NAME "$DATA_NAME"
protocol_variables+=(data_name="DATA_NAME and <data set>:<name>=<folder>")
trained_name=$DATA_NAME
check_protocol ${flags[@]+"${flags[@]}"}

# The demo's objects, scanned and stored as another data set would be.
demo_target() {  # FORMAT DATASET
  local folder=$root/data/demo/$1 found wanted
  # Nothing is done if all are there.
  # shellcheck disable=SC2086  # a list of words
  run_program "$python" "$root/scripts/make_demo_data.py" --format "$1" --output "$folder/raw" --rendered "$folder/rendered" \
    --classes $DEMO_TARGET_CLASSES
  found=$(cd "$folder/rendered" && find . -mindepth 1 -maxdepth 1 -type d ! -name '.*' | cut -c 3- | LC_ALL=C sort | xargs)
  # shellcheck disable=SC2086
  wanted=$(printf '%s\n' $DEMO_TARGET_CLASSES | LC_ALL=C sort | xargs)
  [ -z "$found" ] || [ "$found" = "$wanted" ] \
    || fail "$folder: holds the classes $found, not $wanted; set DEMO_TARGET_CLASSES to these, or remove the folder"
  targets+=("$2=$folder/rendered")
}
if [ "${#targets[@]}" -eq 0 ]; then
  demo_target eyecandies eye_pc_3d_rgb
  demo_target real3d real_pc_3d_rgb
fi

names=()
for target in "${targets[@]}"; do names+=("$(name_of_target "$target")"); done
check_epochs "${names[@]}"
count_runs "${#targets[@]}"
for row in $ROWS; do
  for target in "${targets[@]}"; do
    dataset=${target%%=*} tested_name=
    case $dataset in *:*) tested_name=${dataset#*:} ;; esac
    run_row "$row" "$(name_of_target "$target")" "${dataset%%:*}" "${target#*=}" ${shared[@]+"${shared[@]}"}
  done
done
report
