# Runs an example with its players, a process each, over QUIC on this machine, and a driver: what
# each example's run-remote.sh goes on with. That one has defined the function consent_of, which
# prints what the operator of the player $1 consents to, as options of `sordino player`.
#
# Without --config, players, keys and logs are under target/sordino/run-remote/EXAMPLE; with it, keys
# and certificates that are missing are made beside FILE. Logs: a file a player, in logs/ beside the
# list. With --config local all is in one process, as without this script.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
example=$(basename "$here")
repository=$(cd "$here/../.." && pwd)

config=
data=$repository/data/mnist
driver_name=driver
arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    --config) config=${2:?--config needs a file}; shift 2 ;;
    --config=*) config=${1#*=}; shift ;;
    --data) data=${2:?--data needs a folder}; shift 2 ;;
    --data=*) data=${1#*=}; shift ;;
    --driver) driver_name=${2:?--driver needs a name}; arguments+=("$1" "$2"); shift 2 ;;
    --driver=*) driver_name=${1#*=}; arguments+=("$1"); shift ;;
    *) arguments+=("$1"); shift ;;
  esac
done

# Whoever asks for it here lets the model owner keep weights in its data.
case " ${arguments[*]-} " in *\ --weights-out[\ =]*) mkdir -p "$data/tensors" ;; esac

(cd "$repository" && cargo build --quiet --release --bin sordino --example "$example")
target=${CARGO_TARGET_DIR:-$repository/target}
case $target in /*) ;; *) target=$repository/$target ;; esac
sordino=$target/release/sordino
driver=$target/release/examples/$example

if [ "$config" = local ]; then
  exec "$driver" "${arguments[@]}" --config local --data "$data"
elif [ -z "$config" ]; then
  mkdir -p "$target/sordino/run-remote/$example"
  cp "$here/config.json" "$target/sordino/run-remote/$example/config.json"
  config=$target/sordino/run-remote/$example/config.json
elif [ ! -f "$config" ]; then
  echo "run-remote.sh: no file $config: give a list of players like $here/config.json" >&2
  exit 2
fi
folder=$(cd "$(dirname "$config")" && pwd)
config=$folder/$(basename "$config")
players=$(sed -n 's/^[^"]*"\([a-z][a-z0-9_-]*\)" *:.*/\1/p' "$config")

# The ceremony: here, where all players are on one machine, one hand makes all keys.
mkdir -p "$folder/logs"
for name in "$driver_name" $players; do
  if [ ! -f "$folder/keys/$name.pem" ] || [ ! -f "$folder/certificates/$name.pem" ]; then
    "$sordino" keygen "$name" --out "$folder" --force >/dev/null 2>"$folder/logs/keygen" ||
      { status=$?; cat "$folder/logs/keygen" >&2; exit "$status"; }
  fi
done

# The players hold the reading end of a pipe whose writing end is this script's alone: they stop
# when it is gone, whatever became of the script.
leash_folder=$(mktemp -d "${TMPDIR:-/tmp}/sordino.XXXXXX")
leash=$leash_folder/leash
mkfifo "$leash"
# For reading and writing, since opening it for writing alone would wait for a reader.
exec 9<>"$leash"
pids=()
declare -A player_of
finish() {
  status=$?
  trap - EXIT INT TERM HUP
  exec 9>&-
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$leash_folder"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Each step needs the memory of the step before: giving it back in between costs page faults, a tenth
# of a step. And pages of 2 MiB, cleared at the first touch, make the first step twice as long.
export MIMALLOC_PURGE_DELAY=-1 MIMALLOC_ALLOW_THP=${MIMALLOC_ALLOW_THP:-0}
for name in $players; do
  read -ra consent <<<"$(consent_of "$name")"
  case " ${arguments[*]-} " in *[\ =]Plain\ *) consent+=(--insecure) ;; esac
  "$sordino" player "$name" --config "$config" --data "$data" "${consent[@]}" --until-eof \
    <"$leash" 9>&- 2>"$folder/logs/$name.log" &
  pids+=($!)
  player_of[$!]=$name
done
# A player that cannot start says why at once.
for pid in "${pids[@]}"; do
  log=$folder/logs/${player_of[$pid]}.log
  for _ in $(seq 200); do
    grep -q 'listens at' "$log" && break
    if ! kill -0 "$pid" 2>/dev/null; then
      cat "$log" >&2
      echo "run-remote.sh: ${player_of[$pid]} did not start" >&2
      exit 1
    fi
    sleep 0.02
  done
done

# In the background, so that a signal to this script is answered at once.
"$driver" "${arguments[@]}" --config "$config" --data "$data" 9>&- <&0 &
driver_pid=$!
pids+=("$driver_pid")
wait "$driver_pid" && status=0 || status=$?
if [ "$status" -ne 0 ] && [ "$status" -ne 2 ]; then
  echo "run-remote.sh: the run failed; logs are in $folder/logs" >&2
fi
exit "$status"
