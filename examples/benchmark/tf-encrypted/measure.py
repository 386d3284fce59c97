"""Milliseconds that TF Encrypted's ABY3 takes for operations, at 64 bits.

Inputs are kept by the servers, which keep the results; an aggregation's are kept by their owners, and
its result by a receiver. Each result is compared with that of plaintext.
"""

import statistics
import sys
import time

import numpy as np
import tensorflow as tf
import tf_encrypted as tfe

CONFIG, RUNS, CASES = (sys.argv[1:] + [None] * 3)[:3]
UNIT = 2.0**-16


def kept(shape):
    """A secret of numbers between -1 and 1, and these."""
    values = np.random.uniform(-1, 1, shape)
    return tfe.define_private_variable(tf.constant(values)), values


def secret(variable):
    """What a variable holds now: what is read of it by TF Encrypted is what it first held."""
    first = [variable.unwrapped[i][0].variable.numpy() for i in range(3)]
    return sum(first) * UNIT


def operation(function, plaintext, *shapes):
    """Runs a function of secrets, and gives the largest error."""
    inputs, values = zip(*map(kept, shapes))
    result, _ = kept(plaintext(*values).shape)

    @tfe.function
    def step():
        tfe.assign(result, function(*inputs))

    return step, lambda: np.abs(secret(result) - plaintext(*values)).max()


def aggregation():
    """Three owners share network_a's gradients, and a receiver learns the mean."""
    shapes = [[784, 128], [128], [128, 128], [128], [128, 10], [10]]
    device = lambda player: tf.device(tfe.get_config().get_player(player).device_name)
    values = [[np.random.uniform(-1, 1, s).astype(np.float32) for s in shapes] for _ in range(3)]
    gradients = []
    for owner, of_owner in enumerate(values):
        with device(f"owner{owner}"):
            gradients.append([tf.Variable(x) for x in of_owner])
    with device("receiver"):
        means = [tf.Variable(tf.zeros(shape)) for shape in shapes]

    def share(owner):
        @tfe.local_computation(f"owner{owner}")
        def gradient():
            return [tf.identity(x) for x in gradients[owner]]

        return gradient()

    @tfe.local_computation("receiver")
    def receive(*received):
        for mean, x in zip(means, received):
            mean.assign(tf.cast(x, tf.float32))
        return []

    @tfe.function
    def step():
        receive(*(tfe.add_n(list(x)) / 3 for x in zip(*map(share, range(3)))))

    def error():
        pairs = zip(means, zip(*values))
        return max(np.abs(mean.numpy() - sum(x) / 3).max() for mean, x in pairs)

    return step, error


CASES_THERE_ARE = {
    "mul": lambda: operation(lambda x, y: x * y, np.multiply, [65536], [65536]),
    "matmul": lambda: operation(tfe.matmul, np.matmul, [128, 784], [784, 128]),
    "large_matmul": lambda: operation(tfe.matmul, np.matmul, [1000, 1000], [1000, 1000]),
    "relu": lambda: operation(tfe.relu, lambda x: np.maximum(x, 0), [65536]),
    "aggregation": aggregation,
}


def main():
    config = tfe.RemoteConfig.load(CONFIG)
    config.connect_servers()
    tfe.set_config(config)
    tfe.set_protocol(tfe.protocol.ABY3(fixedpoint_config="l"))
    print(f"{'operation':20}{'ms':>8}{'error':>10}")
    for name in CASES.split(",") if CASES else CASES_THERE_ARE:
        step, error = CASES_THERE_ARE[name]()
        times = []
        for _ in range(2 + int(RUNS or 31)):
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
        # The first builds the graph.
        print(f"{name:20}{statistics.median(times[2:]) * 1e3:8.2f}{error():10.1e}", flush=True)


main()
