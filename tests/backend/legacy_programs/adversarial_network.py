"""Two functions that share their parameters and update each its own; Adam with a counter; a variational part."""

import numpy as np
import theano
import theano.tensor as T
from theano.sandbox.rng_mrg import MRG_RandomStreams

floatX, rng, srng = theano.config.floatX, np.random.RandomState(42), MRG_RandomStreams(seed=42)


def weights(*shape):
    return theano.shared((rng.randn(*shape) * 0.2).astype(floatX))


def adam(cost, params, lr=0.01, b1=0.1, b2=0.001, e=1e-8):
    updates, i = [], theano.shared(np.asarray(0.0, dtype=floatX))
    i_t = i + 1.0
    lr_t = lr * (T.sqrt(1.0 - (1.0 - b2) ** i_t) / (1.0 - (1.0 - b1) ** i_t))
    for p, g in zip(params, T.grad(cost, params)):
        m, v = theano.shared(p.get_value() * 0.0), theano.shared(p.get_value() * 0.0)
        m_t, v_t = (b1 * g) + ((1.0 - b1) * m), (b2 * T.sqr(g)) + ((1.0 - b2) * v)
        updates += [(m, m_t), (v, v_t), (p, p - lr_t * (m_t / (T.sqrt(v_t) + e)))]
    return updates + [(i, i_t)]


gen, dis = [weights(3, 8), weights(8, 4)], [weights(4, 8), weights(8, 1)]


def generate(z):
    return T.tanh(T.dot(T.nnet.relu(T.dot(z, gen[0])), gen[1]))


def judge(x):
    return T.nnet.sigmoid(T.dot(T.nnet.relu(T.dot(x, dis[0]), 0.2), dis[1]))


x = T.matrix()
z = srng.uniform(size=(x.shape[0], 3), low=-1.0, high=1.0, dtype=floatX)
fake = generate(z)
real_p, fake_p = judge(x), judge(fake)
d_cost = T.nnet.binary_crossentropy(real_p, T.ones(real_p.shape)).mean()
d_cost += T.nnet.binary_crossentropy(fake_p, T.zeros(fake_p.shape)).mean()
g_cost = T.nnet.binary_crossentropy(fake_p, T.ones(fake_p.shape)).mean()
train_g = theano.function([x], g_cost, updates=adam(g_cost, gen))
train_d = theano.function([x], d_cost, updates=adam(d_cost, dis))

mu, log_sigma, out = weights(4, 2), weights(4, 2), weights(2, 4)
eps = srng.normal((x.shape[0], 2), dtype=floatX)
code = T.dot(x, mu) + T.exp(T.dot(x, log_sigma)) * eps
prior = 0.5 * T.sum(1 + 2 * T.dot(x, log_sigma) - T.dot(x, mu) ** 2 - T.exp(2 * T.dot(x, log_sigma)), axis=1)
vae_cost = -T.mean(prior - T.sum((x - T.dot(code, out)) ** 2, axis=1))
train_vae = theano.function([x], vae_cost, updates=adam(vae_cost, [mu, log_sigma, out]))

for step in range(5):
    batch = np.sin(rng.randn(16, 1) + np.arange(4)).astype(floatX)
    print("costs", float(train_d(batch)), float(train_g(batch)), float(train_vae(batch)))
