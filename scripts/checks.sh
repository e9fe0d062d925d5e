# shellcheck shell=bash disable=SC2034,SC2154  # variables of the scripts that source this
# What train.sh, test.sh and the protocol scripts check before anything runs; they set $root and $python.

set -f  # lists of classes, seeds, rows and flags are split into words, yet never taken for patterns of file names

# Ctrl-C ends the script, and loops around it, even if the program that runs just then ends well.
trap 'end_by INT' INT

# Ends the script by a signal, once the program that it runs has ended. Ctrl-C, closed terminals and most batch systems
# tell the program themselves, and a second signal would interrupt its cleaning up: only one that goes on was not told.
end_by() {  # SIGNAL
  local running tenths=0
  trap - "$1"
  running=$(jobs -rp)
  while [ "$tenths" -lt 10 ] && kill -0 "$running" 2> /dev/null; do
    sleep 0.1
    tenths=$((tenths + 1))
  done
  kill -s "$1" "$running" 2> /dev/null || true
  wait
  kill -s "$1" $$
}

# Runs a program so that signals that the script alone is sent, as by batch systems, reach it too. A shell hears signals
# only while it waits for something in the background, where it would have Ctrl-C ignored.
run_program() {  # COMMAND...
  trap 'end_by HUP' HUP
  trap 'end_by TERM' TERM
  (trap - HUP INT TERM && exec "$@") &
  wait $!
  trap - HUP TERM
}

unset CDPATH  # cd would print where it goes

fail() {  # WHAT IS WRONG AND WHAT TO DO
  printf 'error: %s\n' "$1" >&2 || true  # the exit status says it where nothing takes the line
  exit 2
}

note() {  # TEXT
  printf 'note: %s\n' "$1" >&2 || true
}

say() {  # TEXT
  { printf '%s\n' "$1"; } 2> /dev/null \
    || fail "standard output: cannot be written (it is closed, or its disk is full); send it elsewhere, such as to /dev/null"
}

# Names become folders: none may climb out of them or be taken for a flag.
check_names() {  # VARIABLE NAME...
  local name before=" "
  [ $# -gt 1 ] || fail "$1: contains no name; give at least one, or leave it empty"
  for name in "${@:2}"; do
    case $name in
      "" | */* | .* | -*) fail "$1: $name cannot be a folder name; give names without slashes that do not begin with a dot or dash" ;;
    esac
    [[ $before != *" $name "* ]] || fail "$1: $name is named twice; name it once"
    before+="$name "
  done
}

# Training classes: test.py escapes these names where it tests several, and tests of one would lie elsewhere.
check_classes() {  # VARIABLE NAME...
  local name
  check_names "$@"
  for name in "${@:2}"; do
    case $(printf '%s' "$name" | tr '[:upper:]' '[:lower:]') in
      *[:*?\"\<\>\|%\\[:cntrl:]]* | \~* | *. | con | prn | aux | nul | conin$ | conout$ | com[0-9] | lpt[0-9] \
        | con.* | prn.* | aux.* | nul.* | conin$.* | conout$.* | com[0-9].* | lpt[0-9].*)
        fail "$1: $name cannot be the name of a folder on every system; give it to train.py and test.py instead" ;;
    esac
  done
}

# Numbers that name files must be written as Python writes them.
check_numbers() {  # VARIABLE SMALLEST NUMBER...
  local number before=" "
  [ $# -gt 2 ] || fail "$1: contains no number; give at least one, or leave it empty"
  for number in "${@:3}"; do
    [[ $number =~ ^(0|[1-9][0-9]{0,17})$ && $number -ge $2 ]] \
      || fail "$1: $number is not a whole number of at least $2 without leading zeros; set it to one, such as 15"
    [[ $before != *" $number "* ]] || fail "$1: $number is named twice; name it once"
    before+="$number "
  done
}

check_answer() {  # VARIABLE ANSWER
  case $2 in yes | no) ;; *) fail "$1: $2 is neither yes nor no; set it to one of them" ;; esac
}

# Rendered data must be there, with these classes; of other layouts only the programs know the classes.
check_data() {  # VARIABLE DATA CLASS...
  local class
  [ -z "$2" ] || [ -e "$2" ] || fail "$1: $2 does not exist; check the path"
  [ -f "$2/all_meta.json" ] || return 0
  for class in "${@:3}"; do
    [ -d "$2/$class" ] || grep -qsF "\"$class\":" "$2/all_meta.json" \
      || fail "$2: has no class $class; name classes that are there in CLASSES"
  done
}

# A folder or file without closing slashes, and so that no program takes it for a flag.
plain_path() {  # PATH
  local path=$1
  while [[ $path == ?*/ ]]; do path=${path%/}; done
  case $path in -*) path=./$path ;; esac
  printf '%s\n' "$path"
}

# The name of a folder, also of one that is given as "." or "..".
name_of() {  # PATH
  (cd "$1" 2>/dev/null && basename "$PWD") || basename "$1"
}

# Sets the array `flags` to the lines that a command prints; stops the script if the command fails.
read_flags() {  # COMMAND...
  local lines line
  lines=$("$@") || exit
  flags=()
  [ -z "$lines" ] || while IFS= read -r line; do flags+=("$line"); done < <(printf '%s\n' "$lines")
}

# Flags of train.py or test.py, checked as it would check them, with full names, one word per line; see shared_flags.py.
checked_flags() {  # OPTION... -- FLAG...
  local options=()
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  [ $# -eq 1 ] || "$python" "$root/scripts/shared_flags.py" ${options[@]+"${options[@]}"} "$@"
}

# Training classes of the data set, or of the demo when there is no data path. Needs $python.
training_classes() {  # DATASET DATA
  if [ -n "$2" ]; then "$python" "$root/scripts/training_classes.py" "$1"; else echo gear leaf walnut; fi
}
