#!/usr/bin/env bash
# Measures TF Encrypted as ../run-remote.sh measures Sordino: a process a player, on this machine.
#
#   run.sh [RUNS] [CASES]
#
# RUNS is 31 unless given; CASES, separated by commas, are mul, matmul, large_matmul, relu and
# aggregation unless given. Needs Python 3.10 (PYTHON names another one than python3.10) and PyPI: for
# TensorFlow 2.9.1, TF Encrypted 0.9.1 has its own operations built, its secure random numbers among
# them.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../../target}
folder=$target/tf-encrypted

if [ ! -f "$folder/installed" ]; then
  mkdir -p "$folder"
  "${PYTHON:-python3.10}" -m venv "$folder/python"
  install=("$folder/python/bin/pip" install --quiet --disable-pip-version-check)
  "${install[@]}" tensorflow-cpu==2.9.1 'protobuf<3.20' 'numpy<1.24' pyyaml flatbuffers
  "${install[@]}" --no-deps tf-encrypted==0.9.1 tf2onnx==1.12.0 onnx==1.12.0
  touch "$folder/installed"
fi
python=$folder/python/bin/python
export TF_CPP_MIN_LOG_LEVEL=3

players=(master server0 server1 server2 owner0 owner1 owner2 receiver)
pids=()
trap 'kill -9 "${pids[@]}" 2>/dev/null; wait 2>/dev/null || true' EXIT
{
  separator='{'
  for i in "${!players[@]}"; do
    printf '%s"%s": "localhost:%d"' "$separator" "${players[$i]}" $((14440 + i))
    separator=', '
  done
  echo '}'
} >"$folder/config.json"
for player in "${players[@]}"; do
  "$python" -m tf_encrypted.player "$player" --config "$folder/config.json" \
    >"$folder/$player.log" 2>&1 &
  pids+=($!)
done
"$python" "$here/measure.py" "$folder/config.json" "$@" 2>"$folder/driver.log" ||
  { echo "run.sh: failed; see $folder/driver.log" >&2; exit 1; }
