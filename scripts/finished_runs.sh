# shellcheck shell=bash disable=SC2154  # variables of the scripts that source this
# How train.sh and the protocol scripts tell runs that are finished from runs that are missing or of something else.

# The flags of a run, and what it was made of, are stored next to its files, so that a run with other flags or data is
# not mistaken for a finished one. Paths, devices, logging and further outputs are not compared, even if an older version
# noted them; of weights, and of other files that flags name, the content is.
telling_flags() {  # FLAG...
  while [ $# -gt 0 ]; do
    case $1 in
      --clip_weights=* | --save_maps | --visualize | --restart | --resume) ;;
      --clip_weights | --device | --num_workers | --feature_cache | --tensorboard | --print_freq | --save_freq) shift ;;
      *) printf '%s\n' "$1" ;;
    esac
    [ $# -eq 0 ] || shift
  done
}

# Sets `weights` to the content of the weights that flags name, as a checksum, or to their name, such as openai.
read_weights() {  # FLAG...
  local named=demo
  [ -z "${DATA:-}" ] || named=openai
  while [ $# -gt 0 ]; do
    case $1 in
      --clip_weights) named=${2:-} ;;
      --clip_weights=*) named=${1#*=} ;;
    esac
    shift
  done
  [ "$named" != "${weights_named-}" ] || return 0  # large files are read once
  weights_named=$named weights=$named
  case $named in demo | openai) ;; *) weights=$(content_of "$named") ;; esac
}

# Prints the checksum of what a file or folder holds that a flag names, or the name, as of what is there for others alone.
content_of() {  # NAME
  local place
  for place in "$1" "checkpoints/${1#checkpoints/}" "$root/checkpoints/${1#checkpoints/}"; do
    place=$(plain_path "$place")
    if [ -f "$place" ]; then
      cksum < "$place"
    elif [ -d "$place" ]; then  # hidden files are notes of downloads
      (cd "$place" && find -L . -name '.?*' -prune -o -type f -exec cksum {} + | LC_ALL=C sort | cksum)
    else
      continue
    fi
    return
  done
  printf '%s\n' "$1"
}

# Prints the flags that name other files to be read, with what these hold.
named_contents() {  # FLAG...
  while [ $# -gt 0 ]; do
    case $1 in
      --init_checkpoint | --rig) echo "$1 $(content_of "${2:-}")" ;;
      --init_checkpoint=* | --rig=*) echo "${1%%=*} $(content_of "${1#*=}")" ;;
    esac
    shift
  done
}

# Sets `identity` to what tells a data set: its format, and of rendered data, wherever they lie, the lists of samples, the
# rendering's settings, and the names and sizes of all files; of raw data, the folder. Good scans count where they are used.
identified=() identities=()
read_identity() {  # DATASET DATA FURTHER_LIST...
  local data=$2 key="$*" list good=() place
  for place in ${identified[@]+"${!identified[@]}"}; do  # large data sets are listed once
    identity=${identities[$place]}
    [ "${identified[$place]}" != "$key" ] || return 0
  done
  if [ -z "$data" ]; then
    identity="$1 demo"
  elif [ -f "$data/all_meta.json" ]; then
    [ $# -gt 2 ] || good=(-path '*/train' -prune -o)
    identity="$1 $({
      for list in all_meta.json "${@:3}" rendering.json; do cat "$data/$list" 2>/dev/null || true; done
      names_and_sizes "$data" ${good[@]+"${good[@]}"} | LC_ALL=C sort
    } | cksum)"
  else
    [ ! -d "$data" ] || data=$(cd "$data/" && pwd -P)
    identity="$1 $data"
  fi
  identified+=("$key") identities+=("$identity")
}

names_and_sizes() {  # FOLDER TEST_OF_FIND...; without what these scripts leave in it as a working folder
  (cd "$1/" && find -L . -mindepth 2 -path './results/*' -prune -o "${@:2}" -type f ! -name '.*' -exec wc -c {} +) \
    | awk '{ size = $1 } sub(/^ *[0-9]+ \.\//, "") { print $0, size }'
}

# Says which file of a data set is newer than what was made of it, if one is.
tell_changed_data() {  # MADE DATA
  local changed=
  [ ! -d "$2" ] || changed=$(find "$2/" -mindepth 2 -type f -newer "$1" | sed -n 1p)
  [ -z "$changed" ] || echo "warning: $changed is newer than $1; remove the older one to make it again" >&2
}

# Takes the place of a file, rather than writing into what a link of that name leads to, and is whole or not there.
put() {  # FILE < CONTENT
  local partial=$1.$$.partial  # of this run; others may write the same notes
  find "$(dirname "$1")" -maxdepth 1 -name "$(basename "$1").*.partial" -mmin +10 -exec rm -f {} +  # of killed ones
  rm -f "$partial"
  (set -o noclobber && cat > "$partial")
  { [ -f "$1" ] && [ ! -L "$1" ]; } || rm -f "$1"
  mv -f "$partial" "$1"
}

# Before a run, so that what it leaves is known, and once it has ended well: a second run on the same folder, which was
# refused since then, has left its own notes.
note_flags() {  # FOLDER MADE_OF FLAG...
  mkdir -p "$1" || exit 2
  { telling_flags "${@:3}"; echo; } | put "$1/flags.txt"
  printf '%s\n' "$2" | put "$1/made_of.txt"
  read_weights "${@:3}"
  printf '%s\n' "$weights" | put "$1/weights.txt"
  named_contents "${@:3}" | put "$1/contents.txt"
}

# Stops the script if there are prompts or figures in a folder that were made with other flags or of other things.
check_same_flags() {  # FOLDER MADE_OF FLAG...
  local made='' told now word words=()
  [ ! -d "$1" ] || made=$(find "$1" \( -name 'epoch_*.pth' -o -name results.json \) | sed -n 1p)
  [ -n "$made" ] || return 0
  if [ -s "$1/flags.txt" ]; then
    while IFS= read -r word; do words+=("$word"); done < "$1/flags.txt"
    told=$(telling_flags "${words[@]}")
    [ "$told" = "$(telling_flags "${@:3}")" ] \
      || { told=${told:-none}; fail "$1: was made with other flags (${told//$'\n'/ }); set another SAVE, or remove it"; }
  fi
  if [ -s "$1/made_of.txt" ]; then
    told=$(cat "$1/made_of.txt")
    [ "$told" = "$2" ] \
      || fail "$1: was made from other data, prompts or seeds ($told, now $2); set another SAVE, or remove it"
  fi
  if [ -s "$1/weights.txt" ]; then
    told=$(cat "$1/weights.txt")
    read_weights "${@:3}"
    [ "$told" = "$weights" ] \
      || fail "$1: was made with other weights ($told, now $weights); set another SAVE, or remove it"
  fi
  if [ -s "$1/contents.txt" ]; then
    told=$(cat "$1/contents.txt") now=$(named_contents "${@:3}")
    [ "$told" = "$now" ] \
      || fail "$1: was made with other content of a file (${told//$'\n'/, }, now ${now//$'\n'/, }); set another SAVE, or remove it"
  fi
}

# Progress; $runs is the total number of runs.
runs=0 run=0
announce() {  # TEXT
  run=$((run + 1))
  echo "run $run of $runs: $1"
}

# Trains one class with one seed, unless that is done.
train_class() {  # SUBJECT FOLDER CLASS SEED FLAG...
  local subject=$1 folder=$2 class=$3 seed=$4 checkpoint=$2/epoch_$EPOCH.pth made_of
  shift 4
  read_identity "$DATASET" "$DATA"
  made_of="$identity seed $seed"
  if [[ " $* " != *" --restart "* ]]; then
    check_same_flags "$folder" "$made_of" "$@"
    if [ -f "$checkpoint" ]; then
      announce "$subject: already trained ($checkpoint), skipped"
      tell_changed_data "$checkpoint" "$DATA"
      return
    fi
  fi
  announce "$subject: training"
  note_flags "$folder" "$made_of" "$@"
  run_program "$python" "$root/train.py" --dataset "$DATASET" ${DATA:+--data_path "$DATA"} --train_class "$class" --seed "$seed" \
    --epoch "$EPOCH" --save_path "$folder" "$@"
  note_flags "$folder" "$made_of" "$@"
}
