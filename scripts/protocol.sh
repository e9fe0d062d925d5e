# shellcheck shell=bash disable=SC2153,SC2154  # variables of the scripts that source this
# What one_vs_rest.sh and cross_dataset.sh share; they source it first, with $root set.
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

# shellcheck source=scripts/checks.sh
source "$root/scripts/checks.sh"
# shellcheck source=scripts/runs.sh
source "$root/scripts/runs.sh"

# What the protocols decide themselves, for all rows and for each.
protocol_variables=(--variables epoch=EPOCH seed=SEEDS name=ROWS)
trained_name= tested_name=  # what the data are called in training and in tests, if the protocol says it

own_flags() {  # ROW
  local variable=FLAGS_$1
  [[ ! $variable =~ ^[A-Za-z0-9_]+$ ]] || printf '%s\n' "${!variable:-}"
}

own_row() {  # ROW KEEP
  local words
  words=$(own_flags "$1")
  [ -n "$words" ] || return 0
  printf '%s\n' --name "$1"
  # shellcheck disable=SC2086  # a list of words
  checked_flags --keep "$2" "${protocol_variables[@]}" -- $words
}

# The flags that make a row, one word per line; empty for the published settings.
train_flags() {  # ROW
  case $1 in
    pointad) ;;
    coop) printf '%s\n' --depth 1 ;;
    object_aware) printf '%s\n' --prompts object_aware ;;
    views_[1-9]*) printf '%s\n' --views "${1#views_}" ;;
    losses_*) printf '%s\n' --losses; printf '%s\n' "${1#losses_}" | tr + '\n' ;;
    view_fusion_*) printf '%s\n' --view_fusion "${1#view_fusion_}" ;;
    *) own_row "$1" all ;;
  esac
}

test_flags() {  # ROW SEED
  case $1 in
    pointad | coop | losses_*) ;;
    shots_[1-9]*) printf '%s\n' --shots "${1#shots_}" --seed "$2" ;;
    object_aware) printf '%s\n' --prompts object_aware ;;
    ensemble) printf '%s\n' --prompts ensemble ;;
    views_[1-9]*) printf '%s\n' --views "${1#views_}" ;;
    sigma_*) printf '%s\n' --sigma "${1#sigma_}" ;;
    fusion_*) printf '%s\n' --fusion "${1#fusion_}" ;;
    view_fusion_*) printf '%s\n' --view_fusion "${1#view_fusion_}" ;;
    *) own_row "$1" shared ;;
  esac
}

# Whose prompts a row is tested with; none for the ensemble.
training_row() {  # ROW
  case $1 in sigma_* | fusion_* | shots_[1-9]*) echo pointad ;; ensemble) ;; *) echo "$1" ;; esac
}

# Also that no row sets a flag that is given for all rows, and that the programs take what they will be given.
check_rows() {  # FLAG...; the rows are $ROWS
  local row flags
  # shellcheck disable=SC2086  # a list of rows
  check_names ROWS $ROWS
  for row in $ROWS; do
    case $row in
      pointad | coop | object_aware | ensemble | views_[1-9]* | losses_?* | sigma_?* | fusion_?* | view_fusion_?* | shots_[1-9]*)
        [ -z "$(own_flags "$row")" ] || fail "FLAGS_$row: $row is a row already; give yours another name" ;;
      *)
        [ -n "$(own_flags "$row")" ] \
          || fail "unknown row $row; scripts/protocol.sh lists the rows, set FLAGS_<name> to define your own" ;;
    esac
    read_flags train_flags "$(training_row "$row")"
    check_row --keep all "$row" "$@"
    read_flags test_flags "$row" 0
    check_row --program test "$row" "$@"
  done
}

check_row() {  # OPTION VALUE ROW FLAG...; the row's own flags are $flags
  local word
  for word in ${flags[@]+"${flags[@]}"}; do check_set_once "$word" "${@:3}"; done
  checked_flags "$1" "$2" -- ${flags[@]+"${flags[@]}"} > /dev/null
}

check_set_once() {  # WORD OF A ROW'S FLAGS, ROW, FLAG...
  local word
  [[ $1 == --* ]] || return 0
  for word in "${@:3}"; do
    [ "${word%%=*}" != "${1%%=*}" ] || fail "${1%%=*}: is set by the row $2; leave it out, or leave the row out of ROWS"
  done
}

# What both protocols check before anything runs. Sets `shared`, the flags of all their runs.
check_protocol() {  # FLAG...
  local row flags classes=()
  # shellcheck disable=SC2086  # lists of words
  check_classes CLASSES $CLASSES
  # shellcheck disable=SC2206
  for row in $ROWS; do [ "$row" = ensemble ] || classes=($CLASSES); done
  check_data DATA "$DATA" ${classes[@]+"${classes[@]}"}
  check_answer MAPS "$MAPS"
  # shellcheck disable=SC2086
  check_numbers SEEDS 0 $SEEDS
  check_numbers EPOCH 1 "$EPOCH"
  [ -z "${SEED:-}" ] || note "SEED is ignored here; SEEDS is used ($SEEDS)"
  read_flags checked_flags --keep both "${protocol_variables[@]}" feature_cache=FEATURES -- \
    ${CLIP_WEIGHTS:+--clip_weights "$CLIP_WEIGHTS"} "$@"
  shared=(${flags[@]+"${flags[@]}"})
  [ "$FEATURES" = none ] || shared+=(--feature_cache "$FEATURES")
  check_rows ${shared[@]+"${shared[@]}"}
}

# Results of another epoch, which test.py would refuse only once the prompts are learned.
check_epochs() {  # TEST...
  local row seed test class line told
  for row in $ROWS; do for seed in $SEEDS; do for test in "$@"; do for class in $CLASSES; do
    while IFS= read -r line; do
      told=${line##*: } told=${told%,}
      [ "$told" = "$EPOCH" ] \
        || fail "${line%%results.json:*}results.json: was made with the prompts of epoch $told, not $EPOCH; choose another SAVE, or remove that results.json to test again"
    done < <(grep -rsEH --include=results.json '^    "epoch": [0-9]' "$SAVE/$row/seed_$seed/$test/$class" || true)
  done; done; done; done
}

training_folder() {  # ROW SEED CLASS
  echo "$TRAINED/$(training_row "$1")/seed_$2/train/$3"
}

# Trains one row with one seed on every class of $CLASSES.
train_row() {  # ROW SEED FLAG...
  local row seed=$2 class flags
  row=$(training_row "$1")
  read_flags train_flags "$row"
  for class in $CLASSES; do
    train_class "$row, seed $seed, $class" "$(training_folder "$row" "$seed" "$class")" "$class" "$seed" \
      ${flags[@]+"${flags[@]}"} ${trained_name:+--data_name "$trained_name"} "${@:3}"
  done
}

# Tests one row with one seed, all classes whose results are missing in one pass over the data.
test_row() {  # ROW SEED TEST DATASET DATA FLAG...
  local row=$1 seed=$2 folder=$SAVE/$1/seed_$2/$3 dataset=$4 data=$5 class classes flags checkpoints=()
  read_flags test_flags "$row" "$seed"
  # shellcheck disable=SC2206  # a list of words
  classes=($CLASSES)
  for class in "${classes[@]}"; do
    checkpoints+=("$(training_folder "$row" "$seed" "$class")/epoch_$EPOCH.pth")
  done
  # test.py makes a folder per checkpoint only when there are several.
  [ "${#checkpoints[@]}" -gt 1 ] || folder=$folder/$class
  announce "$row, seed $seed, ${classes[*]}: testing on $dataset"
  run_program "$python" "$root/test.py" --dataset "$dataset" ${data:+--data_path "$data"} --checkpoint_path "${checkpoints[@]}" \
    --save_path "$folder" --skip_finished ${flags[@]+"${flags[@]}"} ${tested_name:+--data_name "$tested_name"} "${@:6}"
}

# Tests the plain prompt ensemble, which needs no training and has no seed.
test_ensemble() {  # TEST DATASET DATA FLAG...
  local flags
  read_flags test_flags ensemble ""
  announce "ensemble: testing on $2"
  run_program "$python" "$root/test.py" --dataset "$2" ${3:+--data_path "$3"} --save_path "$SAVE/ensemble/$1" --skip_finished \
    "${flags[@]}" ${tested_name:+--data_name "$tested_name"} "${@:4}"
}

# Tests every row with every seed on one data set, training what is missing; the rows are $ROWS.
run_row() {  # ROW TEST DATASET DATA FLAG...
  local row=$1 seed maps seeds
  shift
  if [ "$row" = ensemble ]; then
    test_ensemble "$@"
    return
  fi
  # shellcheck disable=SC2206  # a list of words
  seeds=($SEEDS)
  for seed in "${seeds[@]}"; do
    train_row "$row" "$seed" "${@:4}"
    # Maps of the main row's first seed give the report its pictures and clouds.
    maps=()
    if [ "$MAPS" = yes ] && [ "$row" = pointad ] && [ "$seed" = "${seeds[0]}" ]; then maps=(--save_maps); fi
    test_row "$row" "$seed" "${@:1:3}" ${maps[@]+"${maps[@]}"} "${@:4}"
  done
}

# Sets `runs` to the trainings and tests of all rows on so many targets; one test takes all classes.
count_runs() {  # TARGETS
  # shellcheck disable=SC2206  # lists of words
  local row classes=($CLASSES) seeds=($SEEDS)
  for row in $ROWS; do
    if [ "$row" = ensemble ]; then runs=$((runs + $1)); else runs=$((runs + $1 * ${#seeds[@]} * (${#classes[@]} + 1))); fi
  done
}

# Tables and pages of everything in $SAVE.
report() {
  run_program "$python" "$root/scripts/report.py" --save_path "$SAVE/report" --html "$SAVE/report" "$SAVE"
}
