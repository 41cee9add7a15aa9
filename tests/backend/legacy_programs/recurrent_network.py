"""An LSTM over sequences of unlike lengths with a mask: scan, slices of one product, adadelta, a dropout switch."""

from collections import OrderedDict

import numpy
import theano
import theano.tensor as tensor
from theano.sandbox.rng_mrg import MRG_RandomStreams as RandomStreams

rng = numpy.random.RandomState(1)
dim, words, classes = 6, 20, 2
floatX = theano.config.floatX


def numpy_floatX(data):
    return numpy.asarray(data, dtype=floatX)


def ortho(n):
    u, s, v = numpy.linalg.svd(rng.randn(n, n))
    return u.astype(floatX)


tparams = OrderedDict()
for name, value in [
    ("Wemb", 0.1 * rng.rand(words, dim)),
    ("lstm_W", numpy.concatenate([ortho(dim) for _ in range(4)], axis=1)),
    ("lstm_U", numpy.concatenate([ortho(dim) for _ in range(4)], axis=1)),
    ("lstm_b", numpy.zeros(4 * dim)),
    ("U", 0.1 * rng.randn(dim, classes)),
    ("b", numpy.zeros(classes)),
]:
    tparams[name] = theano.shared(value.astype(floatX), name=name)


def _slice(_x, n):
    return _x[:, n * dim : (n + 1) * dim]


def _step(m_, x_, h_, c_):
    preact = tensor.dot(h_, tparams["lstm_U"]) + x_
    i, f, o = (tensor.nnet.sigmoid(_slice(preact, n)) for n in range(3))
    c = f * c_ + i * tensor.tanh(_slice(preact, 3))
    c = m_[:, None] * c + (1.0 - m_)[:, None] * c_
    h = m_[:, None] * (o * tensor.tanh(c)) + (1.0 - m_)[:, None] * h_
    return h, c


use_noise = theano.shared(numpy_floatX(0.0))
trng = RandomStreams(1)
x, mask, y = tensor.matrix("x", dtype="int64"), tensor.matrix("mask", dtype=floatX), tensor.vector("y", dtype="int64")
n_timesteps, n_samples = x.shape[0], x.shape[1]
emb = tparams["Wemb"][x.flatten()].reshape([n_timesteps, n_samples, dim])
state_below = tensor.dot(emb, tparams["lstm_W"]) + tparams["lstm_b"]
zeros = tensor.alloc(numpy_floatX(0.0), n_samples, dim)
rval, updates = theano.scan(
    _step, sequences=[mask, state_below], outputs_info=[zeros, zeros], name="lstm_layers", n_steps=n_timesteps
)
proj = (rval[0] * mask[:, :, None]).sum(axis=0) / mask.sum(axis=0)[:, None]
proj = tensor.switch(use_noise, proj * trng.binomial(proj.shape, p=0.5, n=1, dtype=proj.dtype), proj * 0.5)
pred = tensor.nnet.softmax(tensor.dot(proj, tparams["U"]) + tparams["b"])
cost = -tensor.log(pred[tensor.arange(n_samples), y] + 1e-8).mean()
grads = tensor.grad(cost, wrt=list(tparams.values()))

zipped_grads, running_up2, running_grads2 = (
    [theano.shared(p.get_value() * numpy_floatX(0.0), name="%s_%s" % (k, kind)) for k, p in tparams.items()]
    for kind in ("grad", "rup2", "rgrad2")
)
zgup = [(zg, g) for zg, g in zip(zipped_grads, grads)]
rg2up = [(rg2, 0.95 * rg2 + 0.05 * (g**2)) for rg2, g in zip(running_grads2, grads)]
f_grad_shared = theano.function([x, mask, y], cost, updates=zgup + rg2up, name="adadelta_f_grad_shared")
updir = [
    -tensor.sqrt(ru2 + 1e-6) / tensor.sqrt(rg2 + 1e-6) * zg
    for zg, ru2, rg2 in zip(zipped_grads, running_up2, running_grads2)
]
ru2up = [(ru2, 0.95 * ru2 + 0.05 * (ud**2)) for ru2, ud in zip(running_up2, updir)]
param_up = [(p, p + ud) for p, ud in zip(tparams.values(), updir)]
f_update = theano.function([], [], updates=ru2up + param_up, on_unused_input="ignore", name="adadelta_f_update")
f_pred = theano.function([x, mask], pred.argmax(axis=1), name="f_pred")

for step in range(8):
    use_noise.set_value(1.0)
    length = 5 + step % 3
    tokens = rng.randint(0, words, size=(length, 7))
    lengths = rng.randint(2, length + 1, size=7)
    held = (numpy.arange(length)[:, None] < lengths).astype(floatX)
    target = (tokens[0] > 9).astype("int64")
    print("cost", f_grad_shared(tokens, held, target))
    f_update()
    use_noise.set_value(0.0)
    print("predicted", f_pred(tokens, held).sum())
