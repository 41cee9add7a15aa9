"""What libraries on top of Theano did: a learning phase as an input, default updates, switches, a step kept by name."""

import numpy as np
import theano
import theano.tensor as T
from theano.ifelse import ifelse
from theano.sandbox.rng_mrg import MRG_RandomStreams as RandomStreams

floatX, rng = theano.config.floatX, np.random.RandomState(3)
learning_phase = T.scalar(dtype="uint8", name="learning_phase")


def in_train_phase(x, alt):
    return theano.ifelse.ifelse(learning_phase, x, alt)


def dropout(x, level, seed):
    return x * RandomStreams(seed=seed).binomial(x.shape, p=1 - level, dtype=x.dtype) / (1 - level)


def batch_norm(x, gamma, beta, mean, var):
    current_mean, current_var = x.mean(axis=0), x.var(axis=0)
    normed = (x - current_mean) / T.sqrt(current_var + 1e-3) * gamma + beta
    kept = (x - mean) / T.sqrt(var + 1e-3) * gamma + beta
    return in_train_phase(normed, kept), [
        (mean, 0.9 * mean + 0.1 * current_mean),
        (var, 0.9 * var + 0.1 * current_var),
    ]


W1 = theano.shared(rng.randn(5, 8).astype(floatX) * 0.3, name="W1")
W2 = theano.shared(rng.randn(8, 3).astype(floatX) * 0.3, name="W2")
gamma, beta = theano.shared(np.ones(8, floatX)), theano.shared(np.zeros(8, floatX))
mean, var = theano.shared(np.zeros(8, floatX)), theano.shared(np.ones(8, floatX))
x, y, sample_weight = T.matrix("x"), T.matrix("y"), T.vector("w")
h = T.dot(x, W1)
normed, bn_updates = batch_norm(h, gamma, beta, mean, var)
hidden = T.nnet.relu(normed)
hidden = in_train_phase(dropout(hidden, 0.25, 7), hidden)
out = T.nnet.softmax(T.dot(hidden, W2))
clipped = T.clip(out, 1e-7, 1.0 - 1e-7)
score = T.nnet.categorical_crossentropy(clipped, y)
loss = (score * sample_weight).sum() / T.sum(T.neq(sample_weight, 0))
accuracy = T.mean(T.eq(T.argmax(out, axis=-1), T.argmax(y, axis=-1)))
params = [W1, W2, gamma, beta]
norm = T.sqrt(sum([T.sum(T.square(g)) for g in T.grad(loss, params)]))
grads = [T.switch(norm >= 0.5, g * 0.5 / norm, g) for g in T.grad(loss, params)]
iterations = theano.shared(np.asarray(0, floatX), name="iterations")
lr = 0.5 * (1.0 / (1.0 + 0.01 * iterations))
updates = bn_updates + [(iterations, iterations + 1)]
updates += [(p, T.maximum(T.minimum(p - lr * g, 2.0), -2.0)) for p, g in zip(params, grads)]
train = theano.function(
    [x, y, sample_weight, learning_phase],
    [loss, accuracy],
    updates=updates,
    allow_input_downcast=True,
    on_unused_input="ignore",
    name="train",
)
test = theano.function([x, y, sample_weight, learning_phase], [loss, accuracy], on_unused_input="ignore", name="test")
for step in range(6):
    batch = rng.randn(12, 5).astype(floatX)
    target = np.eye(3, dtype=floatX)[(batch[:, 0] > 0).astype(int) + (batch[:, 1] > 0)]
    w = (rng.rand(12) > 0.2).astype(floatX)
    print("train", *map(float, train(batch, target, w, 1)))
    print("test", *map(float, test(batch, target, w, 0)))
