# What one_vs_rest.sh and cross_dataset.sh share; they source it after setting their variables.
#
# A row is a method of the result tables:
#   pointad                 learned prompts, the published settings
#   coop                    learned context only (--depth 1): PointAD-CoOp
#   object_aware            prompts that say the class's name
#   ensemble                nothing learned: CLIP + R.
#   views_<n>               n of the nine views, in training and test
#   losses_<term>+<term>    these terms of the loss only, such as losses_d2_pixel_loss+d2_image_loss
#   sigma_<s>, fusion_<f>   pointad's prompts, tested with --sigma <s> or --fusion <f>
#
# Files: $TRAINED/<row>/seed_<seed>/train/<class>/epoch_<n>.pth and $SAVE/<row>/seed_<seed>/<test>/<class>/results.json.

# Training classes of the data set, or of the demo when there is no data path. Needs $python.
training_classes() {  # DATASET DATA
  if [ -n "${2:-}" ]; then "$python" scripts/training_classes.py "$1"; else echo gear leaf walnut; fi
}

# The flags that make a row, one word a line; empty for the published settings.
train_flags() {  # ROW
  case $1 in
    coop) printf '%s\n' --depth 1 ;;
    object_aware) printf '%s\n' --prompts object_aware ;;
    views_*) printf '%s\n' --views "${1#views_}" ;;
    losses_*) printf '%s\n' --losses; tr + '\n' <<< "${1#losses_}" ;;
  esac
}

test_flags() {  # ROW
  case $1 in
    object_aware) printf '%s\n' --prompts object_aware ;;
    ensemble) printf '%s\n' --prompts ensemble ;;
    views_*) printf '%s\n' --views "${1#views_}" ;;
    sigma_*) printf '%s\n' --sigma "${1#sigma_}" ;;
    fusion_*) printf '%s\n' --fusion "${1#fusion_}" ;;
  esac
}

# Whose prompts a row is tested with.
training_row() {  # ROW
  case $1 in sigma_* | fusion_*) echo pointad ;; *) echo "$1" ;; esac
}

check_rows() {  # ROW...
  local row
  for row in "$@"; do
    case $row in
      pointad | coop | object_aware | ensemble | views_[1-9] | losses_?* | sigma_?* | fusion_?*) ;;
      *) echo "error: row $row is not known; scripts/protocol.sh lists the rows" >&2; return 2 ;;
    esac
  done
}

checkpoint_path() {  # ROW SEED CLASS
  echo "$TRAINED/$(training_row "$1")/seed_$2/train/$3/epoch_$EPOCH.pth"
}

# Trains one row with one seed on every class of $CLASSES that is not trained yet.
train_row() {  # ROW SEED DATASET DATA FLAGS...
  local row=$1 seed=$2 dataset=$3 data=$4 class checkpoint flags
  shift 4
  mapfile -t flags < <(train_flags "$row")
  for class in $CLASSES; do
    checkpoint=$(checkpoint_path "$row" "$seed" "$class")
    if [ -f "$checkpoint" ]; then
      echo "$row, seed $seed, $class: trained already ($checkpoint), skipped"
      continue
    fi
    echo "$row, seed $seed, $class: training"
    "$python" train.py --dataset "$dataset" ${data:+--data_path "$data"} --train_class "$class" --seed "$seed" \
      --epoch "$EPOCH" --save_path "$(dirname "$checkpoint")" ${flags[@]+"${flags[@]}"} "$@"
  done
}

# Tests one row with one seed, all classes whose results are missing in one pass over the data.
test_row() {  # ROW SEED TEST DATASET DATA FLAGS...
  local row=$1 seed=$2 folder=$SAVE/$1/seed_$2/$3 dataset=$4 data=$5 class flags checkpoints=() missing=()
  shift 5
  mapfile -t flags < <(test_flags "$row")
  for class in $CLASSES; do
    if [ -f "$folder/$class/results.json" ]; then
      echo "$row, seed $seed, $class: tested already ($folder/$class/results.json), skipped"
    else
      missing+=("$class")
      checkpoints+=("$(checkpoint_path "$row" "$seed" "$class")")
    fi
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  # test.py makes a folder per checkpoint only when there are several.
  [ "${#missing[@]}" -gt 1 ] || folder=$folder/${missing[0]}
  echo "$row, seed $seed, ${missing[*]}: testing on $dataset"
  "$python" test.py --dataset "$dataset" ${data:+--data_path "$data"} --checkpoint_path "${checkpoints[@]}" \
    --save_path "$folder" ${flags[@]+"${flags[@]}"} "$@"
}

# Tests the plain prompt ensemble, which needs no training and has no seed.
test_ensemble() {  # TEST DATASET DATA FLAGS...
  local folder=$SAVE/ensemble/$1 dataset=$2 data=$3 flags
  shift 3
  if [ -f "$folder/results.json" ]; then
    echo "ensemble: tested already ($folder/results.json), skipped"
    return 0
  fi
  mapfile -t flags < <(test_flags ensemble)
  echo "ensemble: testing on $dataset"
  "$python" test.py --dataset "$dataset" ${data:+--data_path "$data"} --save_path "$folder" "${flags[@]}" "$@"
}

# Maps of the main row's first seed give the report its pictures and clouds.
map_flags() {  # ROW SEED
  if [ "$MAPS" = yes ] && [ "$1" = pointad ] && [ "$2" = "${SEEDS%% *}" ]; then echo --save_maps; fi
}
