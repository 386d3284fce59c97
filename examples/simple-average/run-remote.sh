#!/usr/bin/env bash
# Averages with nine players, a process each, over QUIC on this machine, and a driver.
#
#   run-remote.sh [--steps N] [--protocol ABY3] [--config FILE] [--precision l|h] …
#
# Without --config, players, keys and logs are under target/sordino/run-remote/simple-average; see
# ../common/run-remote.sh.

# The receiver publishes the mean.
consent_of() {
  [ "$1" != result-receiver ] || echo --release
}

source "$(dirname "$0")/../common/run-remote.sh"
