#!/usr/bin/env bash
# Scores a data set with learned prompts and prints the result tables (point, colour, fused).
#   bash test.sh                                                              # demo data, demo prompts
#   DATA=/data/mvtec3d-rendered bash test.sh                                  # real data, prompts in checkpoints/
#   DATA=... CHECKPOINTS=.../exps_9_12_4_mv9_mvtec_3d_336_4 bash test.sh      # prompts in the published tree
# Every variable below can be set in the environment; further flags of test.py can be given as arguments. Relative paths
# start in the working folder.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # sh may be another shell
[ ! -L "$0" ] || exec bash "$(realpath "$0")" "$@"  # what it needs lies beside the script, not beside a link to it
set -euo pipefail
root=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=scripts/checks.sh
source "$root/scripts/checks.sh"
python=$(bash "$root/scripts/setup.sh")

DATASET=${DATASET:-mvtec_pc_3d_rgb}          # format of the data, see --dataset of test.py
DATA=$(plain_path "${DATA:-}")           # rendered data set; empty: the demo data
CHECKPOINTS=$(plain_path "${CHECKPOINTS:-$root/checkpoints/$([ -n "$DATA" ] && echo "$DATASET" || echo demo)}")   # <class>/epoch_<EPOCH>.pth inside
EPOCH=${EPOCH:-15}                          # which epoch's prompts
CLIP_WEIGHTS=${CLIP_WEIGHTS:-}               # demo, openai or a file; empty: demo for the demo data, else openai
SAVE=$(plain_path "${SAVE:-results/test/${DATA:+$(name_of "$DATA")-}$DATASET}")   # tables, scores and logs

# Flags of these names count, as the last ones do, and a test without learned prompts needs none.
read_flags checked_flags --program test -- "$@"
own_prompts=no
before=""
for word in ${flags[@]+"${flags[@]}"}; do
  if [ "$before $word" = "--prompts ensemble" ]; then
    own_prompts=yes
    note "--prompts ensemble is given, so CHECKPOINTS, CLASSES and EPOCH are ignored"
  fi
  before=$word
  case ${word%%=*} in
    --checkpoint_path) own_prompts=yes unused="CHECKPOINTS, CLASSES and EPOCH are ignored" ;;
    --save_path) unused="SAVE ($SAVE) is ignored" ;;
    --dataset) unused="DATASET ($DATASET) is ignored, except for the names of folders" ;;
    --data_path) unused="DATA (${DATA:-the demo data}) is ignored, except for the choice of prompts" ;;
    *) continue ;;
  esac
  note "${word%%=*} is given, so $unused"
done
checkpoints=()
if [ "$own_prompts" = no ]; then
  CLASSES=${CLASSES:-$(training_classes "$DATASET" "$DATA")}   # training classes; those of the demo, or the paper's
  # shellcheck disable=SC2086  # a list of words
  check_names CLASSES $CLASSES
  check_numbers EPOCH 1 "$EPOCH"
  checkpoints=(--checkpoint_path)
  for class in $CLASSES; do
    checkpoint=$CHECKPOINTS/$class/epoch_$EPOCH.pth
    [ -f "$checkpoint" ] \
      || fail "$checkpoint: not found; put the prompts trained on $class there, set CHECKPOINTS, or train them, with the same DATA and DATASET: CLASSES=$class bash train.sh"
    checkpoints+=("$checkpoint")
  done
fi

exec "$python" "$root/test.py" --dataset "$DATASET" ${DATA:+--data_path "$DATA"} ${checkpoints[@]+"${checkpoints[@]}"} \
  ${CLIP_WEIGHTS:+--clip_weights "$CLIP_WEIGHTS"} --save_path "$SAVE" "$@"
