#!/usr/bin/env bash
# Trains with a process a player, over QUIC on this machine, and a driver.
#
#   run-remote.sh MODEL DATASET [--split none|rows|columns] [--optimizer sgd|momentum|adam|amsgrad]
#     [--epochs N] [--protocol ABY3] [--config FILE] [--precision l|h] …
#
# Without --config, players, keys and logs are under target/sordino/run-remote/private-training; see
# ../common/run-remote.sh.

consent_of() {
  # The weights are revealed from variables: nobody can tell how many players' data they mix.
  echo -n "--over 0 "
  # The model owner publishes how good the model is.
  [ "$1" != model-owner ] || echo --release
}

source "$(dirname "$0")/../common/run-remote.sh"
