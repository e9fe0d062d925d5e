#!/usr/bin/env bash
# Learns prompts on one class at a time, then tests them on the other classes of the same data set.
#   CLASSES=gear bash train.sh                                        # one demo class
#   DATA=/data/mvtec3d-rendered CLASSES="carrot cookie dowel" bash train.sh   # the paper's protocol on MVTec3D-AD
# Every variable below can be set in the environment; further flags of train.py can be given as arguments, and those
# that test.py accepts too (--views, --render, --feature_cache, ...) are passed on to the test. Relative paths start in
# the working folder.
# A class whose last epoch already exists is not trained again, unless --restart is given; if it was trained with other
# flags, data or another seed, the script stops with an error. Tests are written to $SAVE/test/<class>.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # sh may be another shell
[ ! -L "$0" ] || exec bash "$(realpath "$0")" "$@"  # what it needs lies beside the script, not beside a link to it
set -euo pipefail
root=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=scripts/checks.sh
source "$root/scripts/checks.sh"
# shellcheck source=scripts/runs.sh
source "$root/scripts/runs.sh"
python=$(bash "$root/scripts/setup.sh")

DATASET=${DATASET:-mvtec_pc_3d_rgb}          # format of the data, see --dataset of test.py
DATA=$(plain_path "${DATA:-}")           # rendered data set; empty: the demo data
CLASSES=${CLASSES:-$(training_classes "$DATASET" "$DATA")}   # training classes; those of the demo, or the paper's
EPOCH=${EPOCH:-15}                          # epochs, as in the paper; --epoch counts more
SEED=${SEED:-111}                            # --seed counts more
CLIP_WEIGHTS=${CLIP_WEIGHTS:-}               # demo, openai or a file; empty: demo for the demo data, else openai
SAVE=$(plain_path "${SAVE:-results/train/${DATA:+$(name_of "$DATA")-}$DATASET}")   # one folder per training class
TEST=${TEST:-yes}                            # no: train only

# All is checked before anything runs.
read_flags checked_flags --keep shared -- "$@"
test_flags=(${flags[@]+"${flags[@]}"})
read_flags checked_flags --keep all -- ${CLIP_WEIGHTS:+--clip_weights "$CLIP_WEIGHTS"} "$@"
set -- ${flags[@]+"${flags[@]}"}
flags=()
while [ $# -gt 0 ]; do
  case $1 in
    --epoch) EPOCH=$2; shift ;;
    --seed) SEED=$2; shift ;;
    *) flags+=("$1") ;;
  esac
  shift
done
# shellcheck disable=SC2206  # a list of words
classes=($CLASSES)
check_classes CLASSES ${classes[@]+"${classes[@]}"}
check_data DATA "$DATA" "${classes[@]}"
check_numbers SEED 0 "$SEED"
check_numbers EPOCH 1 "$EPOCH"
check_answer TEST "$TEST"
[ -z "${SEEDS:-}" ] || note "SEEDS is ignored here; SEED is used ($SEED)"

runs=${#classes[@]}
for class in "${classes[@]}"; do
  train_class "$class" "$SAVE/$class" "$class" "$SEED" ${flags[@]+"${flags[@]}"}
done
[ "$TEST" = yes ] || exit 0
export CHECKPOINTS=$SAVE CLASSES EPOCH DATA DATASET CLIP_WEIGHTS
# test.py makes a folder per checkpoint only when there are several.
SAVE=$SAVE/test$([ "${#classes[@]}" -gt 1 ] || echo "/${classes[0]}") exec bash "$root/test.sh" ${test_flags[@]+"${test_flags[@]}"}
