#!/usr/bin/env bash
# Trains with seven players, a process each, over QUIC on this machine, and a driver.
#
#   run-remote.sh MODEL DATASET [--epochs N] [--protocol ABY3] [--config FILE] [--precision l|h] …
#
# Without --config, players, keys and logs are under target/sordino/run-remote/federated-learning;
# see ../common/run-remote.sh.

# The model owner hands out its weights, and publishes how good the model is.
consent_of() {
  [ "$1" != model-owner ] || echo --release
}

source "$(dirname "$0")/../common/run-remote.sh"
