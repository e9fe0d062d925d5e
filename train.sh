#!/usr/bin/env bash
# Learns prompts on one class at a time, then tests them on the other classes of the same data set.
#   CLASSES=gear bash train.sh                                        # one demo class
#   DATA=/data/mvtec3d-rendered CLASSES="carrot cookie dowel" bash train.sh   # the paper's protocol on MVTec3D-AD
# Every variable below can be set in the environment; further flags of train.py can be given as arguments, and those
# that test.py accepts too (--views, --render, --feature_cache, ...) are passed on to the test.
# A class whose last epoch already exists is not trained again; if it was trained with other flags, data or another seed,
# the script stops with an error. Tests are written to $SAVE/test/<class>.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source scripts/protocol.sh
python=$(bash scripts/setup.sh)

DATASET=${DATASET:-mvtec_pc_3d_rgb}          # format of the data, see --dataset of test.py
DATA=$(plain_path "${DATA:-}")           # rendered data set; empty: the demo data
CLASSES=${CLASSES:-$(training_classes "$DATASET" "$DATA")}   # training classes; those of the demo, or the paper's
EPOCH=${EPOCH:-15}                          # epochs, as in the paper
SEED=${SEED:-111}
CLIP_WEIGHTS=${CLIP_WEIGHTS:-}               # demo, openai or a file; empty: demo for the demo data, else openai
SAVE=${SAVE:-results/train/${DATA:+$(basename "$DATA")-}$DATASET}   # one folder per training class
TEST=${TEST:-yes}                            # no: train only

# All is checked before anything runs.
# shellcheck disable=SC2206  # a list of words
classes=($CLASSES)
check_names CLASSES ${classes[@]+"${classes[@]}"}
check_numbers SEED 0 "$SEED"
check_answer TEST "$TEST"
handed_on=$("$python" scripts/shared_flags.py -- "$@")
mapfile -t test_flags <<< "$handed_on"
EPOCH=${test_flags[0]:-$EPOCH}
check_numbers EPOCH 1 "$EPOCH"
for place in "${!test_flags[@]}"; do
  if [ "${test_flags[$place]}" = --seed ]; then SEED=${test_flags[$((place + 1))]}; fi
done
read_flags checked_flags all -- "$@"
set -- ${flags[@]+"${flags[@]}"}
made_of="$(data_identity "$DATASET" "$DATA") seed $SEED"
for class in "${classes[@]}"; do
  if [ -f "$SAVE/$class/epoch_$EPOCH.pth" ]; then
    check_same_flags "$SAVE/$class" "$made_of" ${CLIP_WEIGHTS:+--clip_weights "$CLIP_WEIGHTS"} "$@"
    echo "$class: already trained ($SAVE/$class/epoch_$EPOCH.pth), skipped"
    tell_changed_data "$SAVE/$class/epoch_$EPOCH.pth" "$DATA"
    continue
  fi
  note_flags "$SAVE/$class" "$made_of" ${CLIP_WEIGHTS:+--clip_weights "$CLIP_WEIGHTS"} "$@"
  "$python" train.py --dataset "$DATASET" ${DATA:+--data_path "$DATA"} --train_class "$class" --epoch "$EPOCH" \
    ${CLIP_WEIGHTS:+--clip_weights "$CLIP_WEIGHTS"} --seed "$SEED" --save_path "$SAVE/$class" "$@"
done
[ "$TEST" = yes ] || exit 0
export CHECKPOINTS=$SAVE CLASSES EPOCH DATA DATASET CLIP_WEIGHTS
# test.py makes a folder per checkpoint only when there are several.
SAVE=$SAVE/test$([ "${#classes[@]}" -gt 1 ] || echo "/${classes[0]}") exec bash test.sh "${test_flags[@]:1}"
