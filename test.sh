#!/usr/bin/env bash
# Scores a data set with learned prompts and prints the result tables (point, colour, fused).
#   bash test.sh                                                              # demo data, demo prompts
#   DATA=/data/mvtec3d-rendered bash test.sh                                  # real data, prompts in checkpoints/
#   DATA=... CHECKPOINTS=.../exps_9_12_4_mv9_mvtec_3d_336_4 bash test.sh      # prompts in the published tree
# Every variable below can be set in the environment; further flags of test.py can be given as arguments.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source scripts/protocol.sh
python=$(bash scripts/setup.sh)

DATASET=${DATASET:-mvtec_pc_3d_rgb}          # format of the data, see --dataset of test.py
DATA=$(plain_path "${DATA:-}")           # rendered data set; empty: the demo data
CHECKPOINTS=${CHECKPOINTS:-checkpoints/$([ -n "$DATA" ] && echo "$DATASET" || echo demo)}   # <class>/epoch_<EPOCH>.pth inside
CLASSES=${CLASSES:-$(training_classes "$DATASET" "$DATA")}   # training classes; those of the demo, or the paper's
EPOCH=${EPOCH:-15}                          # which epoch's prompts
CLIP_WEIGHTS=${CLIP_WEIGHTS:-}               # demo, openai or a file; empty: demo for the demo data, else openai
SAVE=${SAVE:-results/test/${DATA:+$(basename "$DATA")-}$DATASET}   # tables, scores and logs

# Flags of these names count, as the last ones do.
for word in "$@"; do
  flag=${word%%=*}
  case $flag in
    --checkpoint_path) unused="CHECKPOINTS, CLASSES and EPOCH do not count" ;;
    --save_path) unused="SAVE ($SAVE) does not count" ;;
    --dataset) unused="DATASET ($DATASET) does not count, except for the names of folders" ;;
    --data_path | --train_data_path) unused="DATA (${DATA:-the demo data}) does not count, except for the choice of prompts" ;;
    *) continue ;;
  esac
  echo "note: $flag is given, so $unused" >&2
done
# shellcheck disable=SC2086  # a list of words
check_names CLASSES $CLASSES
check_numbers EPOCH 1 "$EPOCH"
checkpoints=()
for class in $CLASSES; do
  checkpoint=$CHECKPOINTS/$class/epoch_$EPOCH.pth
  if [ ! -f "$checkpoint" ]; then
    echo "error: $checkpoint: not found; put the prompts trained on $class there, set CHECKPOINTS, or train them: CLASSES=$class bash train.sh" >&2
    exit 2
  fi
  checkpoints+=("$checkpoint")
done

exec "$python" test.py --dataset "$DATASET" ${DATA:+--data_path "$DATA"} --checkpoint_path "${checkpoints[@]}" \
  ${CLIP_WEIGHTS:+--clip_weights "$CLIP_WEIGHTS"} --save_path "$SAVE" "$@"
