"""A network of one's own on arrays of one's own: two moons told apart, in twenty lines."""

import crmn_legacy  # first: Lasagne imports Theano, whose names it answers for

# isort: split
import lasagne
import numpy as np
from lasagne.layers import DenseLayer, InputLayer

random = np.random.default_rng(1)
labels = random.integers(0, 2, 1200)
angles = np.pi * random.uniform(size=1200)
points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
points = np.where(labels[:, None] == 1, [1.0, 0.5] - points, points) + random.normal(scale=0.1, size=(1200, 2))

lasagne.random.set_rng(np.random.RandomState(1))
network = DenseLayer(InputLayer((None, 2)), 32)
network = DenseLayer(network, 2, nonlinearity=lasagne.nonlinearities.softmax)

training, held_out = (points[:1000], labels[:1000]), (points[1000:], labels[1000:])
fitted = crmn_legacy.fit(network, *training, loss="cross_entropy", rate=0.1, epochs=20, validation=held_out)
right = (fitted.predict(held_out[0]).argmax(axis=1) == held_out[1]).mean()
print(f"{100 * right:.1f}% of the points that were held out are told apart")
fitted.save("moons.npz")
