#!/usr/bin/env bash
# Predicts with five players, a process each, over QUIC on this machine, and a driver.
#
#   run-remote.sh MODEL DATASET [--batches N] [--epochs N] [--weights-in NAME] [--protocol ABY3]
#     [--config FILE] [--precision l|h] …
#
# Without --config, players, keys and logs are under target/sordino/run-remote/joint-inference; see
# ../common/run-remote.sh.

consent_of() {
  # What is revealed is made of variables: nobody can tell how many players' data they mix.
  echo -n "--over 0 "
  # The client publishes how many predictions are right.
  [ "$1" != prediction-client ] || echo --release
}

source "$(dirname "$0")/../common/run-remote.sh"
