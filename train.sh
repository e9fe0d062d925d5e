#!/usr/bin/env bash
# Learns prompts on one class at a time, then tests them on the other classes of the same data set.
#   CLASSES=gear bash train.sh                                        # one demo class
#   DATA=/data/mvtec3d-rendered CLASSES="carrot cookie dowel" bash train.sh   # the paper's protocol on MVTec3D-AD
# Every variable below can be set from outside; further flags of train.py can be given as arguments.
# A class whose last epoch is there already is not trained again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source scripts/protocol.sh  # training_classes
python=$(bash scripts/setup.sh)

DATASET=${DATASET:-mvtec_pc_3d_rgb}          # format of the data, see --dataset of test.py
DATA=${DATA:-}                               # rendered data set; empty: the demo data
CLASSES=${CLASSES:-$(training_classes "$DATASET" "$DATA")}   # training classes; those of the demo, or the paper's
EPOCH=${EPOCH:-15}                          # epochs, as in the paper
SEED=${SEED:-111}
CLIP_WEIGHTS=${CLIP_WEIGHTS:-}               # demo, openai or a file; empty: demo for the demo data, else openai
SAVE=${SAVE:-results/train/${DATA:+$(basename "$DATA")-}$DATASET}   # one folder per training class
TEST=${TEST:-yes}                            # no: train only

for class in $CLASSES; do
  if [ -f "$SAVE/$class/epoch_$EPOCH.pth" ]; then
    echo "$class: trained already ($SAVE/$class/epoch_$EPOCH.pth), skipped"
    continue
  fi
  "$python" train.py --dataset "$DATASET" ${DATA:+--data_path "$DATA"} --train_class "$class" --epoch "$EPOCH" \
    ${CLIP_WEIGHTS:+--clip_weights "$CLIP_WEIGHTS"} --seed "$SEED" --save_path "$SAVE/$class" "$@"
done
[ "$TEST" = yes ] || exit 0
export CHECKPOINTS=$SAVE CLASSES EPOCH DATA DATASET CLIP_WEIGHTS
SAVE=$SAVE/test exec bash test.sh
