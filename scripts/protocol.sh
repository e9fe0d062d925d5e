# shellcheck shell=bash disable=SC2153,SC2154  # variables of the scripts that source this
# What train.sh, test.sh, one_vs_rest.sh and cross_dataset.sh share; they source it first.
#
# A row is a method of the result tables:
#   pointad                 learned prompts, the published settings
#   coop                    learned context only (--depth 1): PointAD-CoOp
#   object_aware            prompts that say the class's name
#   ensemble                no learning: CLIP + R.
#   views_<n>               n of the nine views, in training and test
#   losses_<term>+<term>    these terms of the loss only, such as losses_d2_pixel_loss+d2_image_loss
#   view_fusion_<f>         the views of a point fused by <f>: max or top2
#   sigma_<s>, fusion_<f>   pointad's prompts, tested with --sigma <s> or --fusion <f>
#   shots_<k>               pointad's prompts and k good scans of each tested class, in five draws
#   <name>                  your own method, named so in tables: FLAGS_<name> holds its flags, such as
#                           FLAGS_mine="--view_fusion max --loss_weights d2_pixel_loss=0.5"
#
# Files: $TRAINED/<row>/seed_<seed>/train/<class>/epoch_<n>.pth and $SAVE/<row>/seed_<seed>/<test>/<class>/results.json,
# of shots_<k> .../<class>/<k>-shot/results.json.

set -f  # lists of classes, seeds, rows and flags are split into words, yet never taken for patterns of file names

# Names become folders: none may climb out of them or be taken for a flag.
check_names() {  # VARIABLE NAME...
  local name
  for name in "${@:2}"; do
    case $name in
      */* | .* | -*)
        echo "error: $1: $name cannot be the name of a folder; give names without slashes that begin with neither dot nor dash" >&2
        return 2 ;;
    esac
  done
  [ $# -gt 1 ] || { echo "error: $1: names nothing; give at least one name, or leave it empty" >&2; return 2; }
}

# Numbers that name files must be written as Python writes them.
check_numbers() {  # VARIABLE SMALLEST NUMBER...
  local number
  for number in "${@:3}"; do
    if ! [[ $number =~ ^(0|[1-9][0-9]{0,17})$ ]] || [ "$number" -lt "$2" ]; then
      echo "error: $1: $number is not a whole number from $2 on, without leading zeros; set it to one, such as 15" >&2
      return 2
    fi
  done
  [ $# -gt 2 ] || { echo "error: $1: holds no number; give at least one, or leave it empty" >&2; return 2; }
}

check_answer() {  # VARIABLE ANSWER
  case $2 in
    yes | no) ;;
    *) echo "error: $1: $2 is neither yes nor no" >&2; return 2 ;;
  esac
}

# A folder without closing slashes, and so that no program takes it for a flag.
plain_path() {  # FOLDER
  local path=$1
  while [[ $path == ?*/ ]]; do path=${path%/}; done
  case $path in -*) path=./$path ;; esac
  printf '%s\n' "$path"
}

# Sets the array `flags` to the lines that a command prints; stops the script if the command fails.
read_flags() {  # COMMAND...
  local lines
  lines=$("$@") || exit
  flags=()
  [ -z "$lines" ] || mapfile -t flags <<< "$lines"
}

# Flags of train.py with full names, one word per line; see shared_flags.py. Fails if train.py would not take them.
checked_flags() {  # KEEP FLAG=VARIABLE... -- FLAGS...
  local variables=() keep=$1 lines
  shift
  while [ "$1" != -- ]; do variables+=("$1"); shift; done
  shift
  [ $# -gt 0 ] || return 0
  lines=$("$python" scripts/shared_flags.py --keep "$keep" ${variables[@]+--variables "${variables[@]}"} -- "$@") || return
  tail -n +2 <<< "$lines"
}

# What the protocols decide themselves, for all rows and for each.
protocol_variables=(epoch=EPOCH seed=SEEDS name=ROWS)

# Training classes of the data set, or of the demo when there is no data path. Needs $python.
training_classes() {  # DATASET DATA
  if [ -n "${2:-}" ]; then "$python" scripts/training_classes.py "$1"; else echo gear leaf walnut; fi
}

# The flags of a run, and what it was made of, are stored next to its files, so that a run with other flags or data is
# not mistaken for a finished one. Paths, devices, logging and further outputs are not compared; of weights, the content.
telling_flags() {  # FLAGS...
  local flags=()
  while [ $# -gt 0 ]; do
    case $1 in
      --clip_weights=*) ;;
      --clip_weights | --device | --num_workers | --feature_cache | --tensorboard | --print_freq) shift ;;
      --save_maps | --visualize) ;;
      *) flags+=("$1") ;;
    esac
    [ $# -eq 0 ] || shift
  done
  printf '%s\n' ${flags[@]+"${flags[@]}"}
}

# The weights that flags name: the start, the end and the size of a file or of all files of a folder, or a name; without
# one, that of the default.
stated_weights() {  # FLAGS...
  local weights=
  while [ $# -gt 0 ]; do
    case $1 in
      --clip_weights) weights=${2:-} ;;
      --clip_weights=*) weights=${1#*=} ;;
    esac
    shift
  done
  weights=$(plain_path "$weights")
  if [ -f "$weights" ]; then
    content "$weights" | cksum
  elif [ -d "$weights" ]; then
    (cd "$weights" && files_of_folder | cksum)
  else
    printf '%s' "${weights:-$(default_weights)}"
  fi
}

content() {  # FILE
  wc -c < "$1"
  head -c 1000000 "$1"
  tail -c 1000000 "$1"
}

# Names and content, in the same order everywhere; hidden files are notes of downloads.
files_of_folder() {
  local file
  find -L . -name '.?*' -prune -o -type f -print0 | LC_ALL=C sort -z | while IFS= read -r -d '' file; do
    printf '%s\n' "$file"
    content "$file"
  done
}

default_weights() {
  if [ -n "${DATA:-}" ]; then echo openai; else echo demo; fi
}

# A data set is told by its format, its lists of samples and its rendering, wherever it lies; a raw one by its folder.
data_identity() {  # DATASET DATA
  if [ -z "$2" ]; then
    echo "$1 demo"
  elif [ -f "$2/all_meta.json" ]; then
    echo "$1 $(cat "$2"/{all_meta,good_scans,rendering}.json 2>/dev/null | cksum)"
  else
    echo "$1 $2"
  fi
}

# Says which file of a data set is newer than what was made of it, if one is.
tell_changed_data() {  # MADE DATA
  local changed=
  [ ! -d "$2" ] || changed=$(find "$2/" -mindepth 2 -type f -newer "$1" -print -quit)
  [ -z "$changed" ] || echo "warning: $changed is newer than $1; remove that to make it anew" >&2
}

# Takes the place of a file, rather than writing into what a link of that name leads to, and is whole or not there.
put() {  # FILE < CONTENT
  rm -f "$1.partial"
  (set -o noclobber && cat > "$1.partial") && mv -fT "$1.partial" "$1"
}

note_flags() {  # FOLDER MADE_OF FLAGS...
  mkdir -p "$1"
  telling_flags "${@:3}" | put "$1/flags.txt"
  printf '%s\n' "$2" | put "$1/made_of.txt"
  stated_weights "${@:3}" | put "$1/weights.txt"
}

check_same_flags() {  # FOLDER MADE_OF FLAGS...
  if [ -s "$1/flags.txt" ] && [ "$(cat "$1/flags.txt")" != "$(telling_flags "${@:3}")" ]; then
    echo "error: $1: was made with other flags ($(tr '\n' ' ' < "$1/flags.txt")); set another SAVE, or remove it" >&2
    return 2
  fi
  if [ -s "$1/made_of.txt" ] && [ "$(cat "$1/made_of.txt")" != "$2" ]; then
    echo "error: $1: was made of other data, prompts or seeds ($(cat "$1/made_of.txt"), now $2); set another SAVE, or remove it" >&2
    return 2
  fi
  [ -f "$1/weights.txt" ] || return 0
  local weights before
  weights=$(stated_weights "${@:3}")
  before=$(cat "$1/weights.txt")
  if [ "${before:-$(default_weights)}" != "$weights" ]; then
    echo "error: $1: was made with other weights (${before:-$(default_weights)}, now $weights); set another SAVE, or remove it" >&2
    return 2
  fi
}

# Progress; $runs is the total number of runs.
runs=0 run=0
announce() {  # TEXT
  run=$((run + 1))
  echo "run $run of $runs: $1"
}

own_flags() {  # ROW
  local variable=FLAGS_$1
  [[ $variable =~ ^[A-Za-z0-9_]+$ ]] || return 0
  printf '%s\n' "${!variable:-}"
}

own_row() {  # ROW KEEP
  local words
  words=$(own_flags "$1")
  [ -n "$words" ] || return 0
  printf '%s\n' --name "$1"
  # shellcheck disable=SC2086  # a list of words
  checked_flags "$2" "${protocol_variables[@]}" -- $words
}

# The flags that make a row, one word per line; empty for the published settings.
train_flags() {  # ROW
  case $1 in
    coop) printf '%s\n' --depth 1 ;;
    object_aware) printf '%s\n' --prompts object_aware ;;
    views_*) printf '%s\n' --views "${1#views_}" ;;
    losses_*) printf '%s\n' --losses; tr + '\n' <<< "${1#losses_}" ;;
    view_fusion_*) printf '%s\n' --view_fusion "${1#view_fusion_}" ;;
    *) own_row "$1" all ;;
  esac
}

test_flags() {  # ROW SEED
  case $1 in
    shots_*) printf '%s\n' --shots "${1#shots_}" --seed "$2" ;;
    object_aware) printf '%s\n' --prompts object_aware ;;
    ensemble) printf '%s\n' --prompts ensemble ;;
    views_*) printf '%s\n' --views "${1#views_}" ;;
    sigma_*) printf '%s\n' --sigma "${1#sigma_}" ;;
    fusion_*) printf '%s\n' --fusion "${1#fusion_}" ;;
    view_fusion_*) printf '%s\n' --view_fusion "${1#view_fusion_}" ;;
    *) own_row "$1" shared ;;
  esac
}

# Whose prompts a row is tested with.
training_row() {  # ROW
  case $1 in sigma_* | fusion_* | shots_*) echo pointad ;; *) echo "$1" ;; esac
}

# Also that no row sets a flag that is given for all rows.
check_rows() {  # FLAGS...; the rows are $ROWS
  local row word flags
  # shellcheck disable=SC2086  # a list of rows
  check_names ROWS $ROWS || return
  for row in $ROWS; do
    case $row in
      pointad | coop | object_aware | ensemble | views_[1-9]* | losses_?* | sigma_?* | fusion_?* | view_fusion_?* | shots_[1-9]*) ;;
      *) [ -n "$(own_flags "$row")" ] || {
           echo "error: unknown row $row; scripts/protocol.sh lists the rows, set FLAGS_$row to define your own" >&2
           return 2
         } ;;
    esac
    read_flags both_flags "$row"
    for word in ${flags[@]+"${flags[@]}"}; do
      [[ $word == --* && " $* " == *" ${word%%=*} "* ]] || continue
      echo "error: ${word%%=*}: is set by the row $row; leave it out, or leave the row out of ROWS" >&2
      return 2
    done
  done
}

both_flags() {  # ROW
  train_flags "$1" || return
  test_flags "$1" ""
}

# Where test.py writes a row's results, below the folder of the prompts' class.
results_name() {  # ROW
  case $1 in shots_*) echo "${1#shots_}-shot/results.json" ;; *) echo results.json ;; esac
}

checkpoint_path() {  # ROW SEED CLASS
  echo "$TRAINED/$(training_row "$1")/seed_$2/train/$3/epoch_$EPOCH.pth"
}

# Trains one row with one seed on every class of $CLASSES that is not trained yet.
train_row() {  # ROW SEED DATASET DATA FLAGS...
  local row=$1 seed=$2 dataset=$3 data=$4 class checkpoint flags made_of
  shift 4
  read_flags train_flags "$row"
  made_of="$(data_identity "$dataset" "$data") seed $seed"
  for class in $CLASSES; do
    checkpoint=$(checkpoint_path "$row" "$seed" "$class")
    if [ -f "$checkpoint" ]; then
      check_same_flags "$(dirname "$checkpoint")" "$made_of" ${flags[@]+"${flags[@]}"} "$@"
      announce "$row, seed $seed, $class: already trained ($checkpoint), skipped"
      tell_changed_data "$checkpoint" "$data"
      continue
    fi
    announce "$row, seed $seed, $class: training"
    note_flags "$(dirname "$checkpoint")" "$made_of" ${flags[@]+"${flags[@]}"} "$@"
    "$python" train.py --dataset "$dataset" ${data:+--data_path "$data"} --train_class "$class" --seed "$seed" \
      --epoch "$EPOCH" --save_path "$(dirname "$checkpoint")" ${flags[@]+"${flags[@]}"} "$@"
  done
}

# Whether results are those of these prompts; others may have taken their place without being newer.
tested_prompts() {  # RESULTS CHECKPOINT
  local told
  told=$(sed -n 's/^ *"checkpoint_fingerprint": "\([0-9a-f]*\)".*/\1/p' "$1")
  [ ! "$2" -nt "$1" ] && { [ -z "$told" ] || [[ $(sha256sum < "$2") == "${told%%$'\n'*}"* ]]; }
}

# Tests one row with one seed, all classes whose results are missing in one pass over the data.
test_row() {  # ROW SEED TEST DATASET DATA FLAGS...
  local row=$1 seed=$2 folder=$SAVE/$1/seed_$2/$3 dataset=$4 data=$5 class flags results made_of checkpoints=() missing=()
  shift 5
  read_flags test_flags "$row" "$seed"
  made_of="$(data_identity "$dataset" "$data") epoch $EPOCH"
  check_same_flags "$folder" "$made_of" ${flags[@]+"${flags[@]}"} "$@"
  for class in $CLASSES; do
    results=$folder/$class/$(results_name "$row")
    if [ -f "$results" ] && tested_prompts "$results" "$(checkpoint_path "$row" "$seed" "$class")"; then
      echo "$row, seed $seed, $class: already tested ($results), skipped"
      tell_changed_data "$results" "$data"
    else
      missing+=("$class")
      checkpoints+=("$(checkpoint_path "$row" "$seed" "$class")")
    fi
  done
  if [ "${#missing[@]}" -eq 0 ]; then
    announce "$row, seed $seed: nothing left to test"
    return 0
  fi
  note_flags "$folder" "$made_of" ${flags[@]+"${flags[@]}"} "$@"
  # test.py makes a folder per checkpoint only when there are several.
  [ "${#missing[@]}" -gt 1 ] || folder=$folder/${missing[0]}
  announce "$row, seed $seed, ${missing[*]}: testing on $dataset"
  "$python" test.py --dataset "$dataset" ${data:+--data_path "$data"} --checkpoint_path "${checkpoints[@]}" \
    --save_path "$folder" ${flags[@]+"${flags[@]}"} "$@"
}

# Tests the plain prompt ensemble, which needs no training and has no seed.
test_ensemble() {  # TEST DATASET DATA FLAGS...
  local folder=$SAVE/ensemble/$1 dataset=$2 data=$3 flags made_of
  shift 3
  made_of=$(data_identity "$dataset" "$data")
  check_same_flags "$folder" "$made_of" "$@"
  if [ -f "$folder/results.json" ]; then
    announce "ensemble: already tested ($folder/results.json), skipped"
    tell_changed_data "$folder/results.json" "$data"
    return 0
  fi
  read_flags test_flags ensemble ""
  announce "ensemble: testing on $dataset"
  note_flags "$folder" "$made_of" "$@"
  "$python" test.py --dataset "$dataset" ${data:+--data_path "$data"} --save_path "$folder" "${flags[@]}" "$@"
}

# Trainings and tests of all rows on so many targets; one test takes all classes.
count_runs() {  # TARGETS ROW...
  # shellcheck disable=SC2206  # lists of words
  local row classes=($CLASSES) seeds=($SEEDS)
  for row in "${@:2}"; do
    if [ "$row" = ensemble ]; then echo "$1"; else echo $(($1 * ${#seeds[@]} * (${#classes[@]} + 1))); fi
  done | awk '{ sum += $1 } END { print sum + 0 }'
}

# Maps of the main row's first seed give the report its pictures and clouds.
map_flags() {  # ROW SEED
  if [ "$MAPS" = yes ] && [ "$1" = pointad ] && [ "$2" = "${SEEDS%% *}" ]; then echo --save_maps; fi
}
