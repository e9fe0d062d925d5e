# shellcheck shell=bash disable=SC2154  # variables of the scripts that source this
# How train.sh and the protocol scripts run one training after another. Which of them are finished, and whether they
# were made with other flags, weights or data, is for train.py and test.py to say, from what stands in their files.

# Progress; $runs is the total number of runs.
runs=0 run=0
announce() {  # TEXT
  run=$((run + 1))
  say "run $run of $runs: $1"
}

# Trains one class with one seed; train.py says so if that was done before. Several rows may take the same prompts.
trained=$'\n'
train_class() {  # SUBJECT FOLDER CLASS SEED FLAG...
  if [[ $trained == *$'\n'"$2"$'\n'* ]]; then
    announce "$1: trained above ($2)"
    return
  fi
  announce "$1: training"
  run_program "$python" "$root/train.py" --dataset "$DATASET" ${DATA:+--data_path "$DATA"} --train_class "$3" --seed "$4" \
    --epoch "$EPOCH" --save_path "$2" "${@:5}"
  trained+=$2$'\n'
}
