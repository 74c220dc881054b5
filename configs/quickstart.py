"""Train a small neural network on two interleaved half moons, in plain Python.

It does what every training that may be interrupted should do: it reports its objective, it saves
a checkpoint after each epoch, it ends at once when it is asked to (SIGTERM), and it goes on from
the checkpoint when it is started again.

    python configs/quickstart.py --learning_rate=0.2 --hidden=8 --momentum=0.9 --epochs=120
"""

import argparse
import json
import math
import os
import random
import signal
import sys
from pathlib import Path

import sweeper

STOPPED_BY_SIGTERM = 128 + signal.SIGTERM


def half_moons(count, seed):
    """Return `count` points of two half moons, each with its label, 0 or 1."""
    source = random.Random(seed)
    points = []
    for index in range(count):
        label = index % 2
        angle = source.uniform(0, math.pi)
        x = math.cos(angle) if label == 0 else 1 - math.cos(angle)
        y = math.sin(angle) if label == 0 else 0.5 - math.sin(angle)
        points.append(((x + source.gauss(0, 0.15), y + source.gauss(0, 0.15)), label))
    return points


class Network:
    """Two inputs, one hidden layer of tanh units, one logistic output."""

    def __init__(self, hidden, seed):
        source = random.Random(seed)
        self.weights = [source.gauss(0, 1) for _ in range(4 * hidden + 1)]
        self.speed = [0.0] * len(self.weights)
        self.hidden = hidden

    def forward(self, point):
        """Return the hidden activations and the probability of label 1."""
        w, n = self.weights, self.hidden
        units = [
            math.tanh(w[3 * i] * point[0] + w[3 * i + 1] * point[1] + w[3 * i + 2])
            for i in range(n)
        ]
        total = sum(w[3 * n + i] * unit for i, unit in enumerate(units)) + w[4 * n]
        return units, 1 / (1 + math.exp(-max(min(total, 60), -60)))

    def step(self, batch, learning_rate, momentum):
        """Follow the gradient of the mean cross-entropy over `batch` once."""
        w, n = self.weights, self.hidden
        slope = [0.0] * len(w)
        for point, label in batch:
            units, probability = self.forward(point)
            error = probability - label
            slope[4 * n] += error
            for i, unit in enumerate(units):
                slope[3 * n + i] += error * unit
                inner = error * w[3 * n + i] * (1 - unit * unit)
                slope[3 * i] += inner * point[0]
                slope[3 * i + 1] += inner * point[1]
                slope[3 * i + 2] += inner
        for i, value in enumerate(slope):
            self.speed[i] = momentum * self.speed[i] - learning_rate * value / len(batch)
            w[i] += self.speed[i]

    def loss(self, points):
        """Return the mean cross-entropy over `points`."""
        total = 0.0
        for point, label in points:
            probability = self.forward(point)[1]
            total -= math.log(max(probability if label else 1 - probability, 1e-12))
        return total / len(points)


class Checkpoint:
    """The state of a training, in a file that is replaced as a whole."""

    def __init__(self):
        # The key is the same in every attempt at a trial, whatever the training is called.
        key = os.environ.get("SWEEPER_CHECKPOINT_KEY")
        folder = Path(os.environ.get("CHECKPOINTS", "checkpoints"))
        self.path = folder / f"{key}.json" if key else None

    def load(self, network):
        """Bring `network` to where the last attempt left it; return the epochs done."""
        if self.path is None or not self.path.exists():
            return 0
        state = json.loads(self.path.read_text())
        network.weights, network.speed = state["weights"], state["speed"]
        return state["epochs"]

    def save(self, network, epochs):
        """Write the state so that a kill at any moment leaves the old file or the new one."""
        if self.path is None:
            return
        self.path.parent.mkdir(exist_ok=True)
        state = {"epochs": epochs, "weights": network.weights, "speed": network.speed}
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(state))
        part.replace(self.path)

    def remove(self):
        """Forget the state once the training is complete."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def main():
    """Train, and report the loss on held-out points after each epoch."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--learning_rate", type=float, default=0.2)
    parser.add_argument("--hidden", type=int, default=8)
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--epochs", type=int, default=120)
    options = parser.parse_args()

    asked_to_stop = []
    signal.signal(signal.SIGTERM, lambda *_: asked_to_stop.append(True))

    training, held_out = half_moons(240, seed=1), half_moons(120, seed=2)
    network, checkpoint = Network(options.hidden, seed=3), Checkpoint()
    done = checkpoint.load(network)
    print(f"starting at epoch {done} of {options.epochs}", flush=True)

    for epoch in range(done, options.epochs):
        order = random.Random(epoch).sample(training, len(training))
        for start in range(0, len(order), 16):
            batch = order[start : start + 16]
            network.step(batch, options.learning_rate, options.momentum)
        loss = network.loss(held_out)
        print(f"epoch {epoch + 1}: loss {loss:.4f}", flush=True)
        sweeper.report(loss=loss, step=epoch + 1)
        checkpoint.save(network, epoch + 1)
        if asked_to_stop:
            sys.exit(STOPPED_BY_SIGTERM)
    checkpoint.remove()


if __name__ == "__main__":
    main()
