#!/usr/bin/env bash
# Measures with three servers, owners and a receiver, a process each, over QUIC on this machine, and a driver.
#
#   run-remote.sh [--ops NAMES] [--size N] [--runs N] [--protocol ABY3] [--config FILE] [--precision l|h] …
#
# Without --config, players, keys and logs are under target/sordino/run-remote/benchmark; see
# ../common/run-remote.sh.

# Nothing is revealed, and nothing released.
consent_of() {
  :
}

# Of many runs the first alone pays for pages of 2 MiB.
export MIMALLOC_ALLOW_THP=1

source "$(dirname "$0")/../common/run-remote.sh"
