"""Persistent contrastive divergence: Gibbs steps in a scan that draws, a constant end of the chain, a proxy cost."""

import numpy
import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

numpy_rng = numpy.random.RandomState(123)
theano_rng = RandomStreams(numpy_rng.randint(2**30))
data = theano.shared((numpy_rng.uniform(size=(60, 10)) > 0.6).astype(theano.config.floatX), borrow=True)
W = theano.shared(numpy_rng.uniform(-0.3, 0.3, size=(10, 5)).astype(theano.config.floatX), name="W", borrow=True)
hbias = theano.shared(numpy.zeros(5, dtype=theano.config.floatX), name="hbias", borrow=True)
vbias = theano.shared(numpy.zeros(10, dtype=theano.config.floatX), name="vbias", borrow=True)
persistent = theano.shared(numpy.zeros((20, 5), dtype=theano.config.floatX), borrow=True)
params = [W, hbias, vbias]


def free_energy(v):
    return -T.dot(v, vbias) - T.sum(T.log(1 + T.exp(T.dot(v, W) + hbias)), axis=1)


def sample(mean):
    return theano_rng.binomial(size=mean.shape, n=1, p=mean, dtype=theano.config.floatX)


def gibbs_hvh(h0_sample):
    pre_sigmoid_v1 = T.dot(h0_sample, W.T) + vbias
    v1_mean = T.nnet.sigmoid(pre_sigmoid_v1)
    v1_sample = sample(v1_mean)
    h1_mean = T.nnet.sigmoid(T.dot(v1_sample, W) + hbias)
    return [pre_sigmoid_v1, v1_mean, v1_sample, h1_mean, sample(h1_mean)]


x, index, lr = T.matrix("x"), T.lscalar(), T.cast(0.05, dtype=theano.config.floatX)
(pre_sigmoid, _, v_samples, _, h_samples), updates = theano.scan(
    gibbs_hvh, outputs_info=[None, None, None, None, persistent], n_steps=3, name="gibbs_hvh"
)
chain_end = v_samples[-1]
cost = T.mean(free_energy(x)) - T.mean(free_energy(chain_end))
gparams = T.grad(cost, params, consider_constant=[chain_end])
for gparam, param in zip(gparams, params):
    updates[param] = param - gparam * lr
updates[persistent] = h_samples[-1]

bit_i_idx = theano.shared(value=0, name="bit_i_idx")
xi = T.round(x)
fe_xi = free_energy(xi)
fe_xi_flip = free_energy(T.set_subtensor(xi[:, bit_i_idx], 1 - xi[:, bit_i_idx]))
monitoring_cost = T.mean(10 * T.log(T.nnet.sigmoid(fe_xi_flip - fe_xi)))
updates[bit_i_idx] = (bit_i_idx + 1) % 10
train_rbm = theano.function(
    [index], monitoring_cost, updates=updates, givens={x: data[index * 20 : (index + 1) * 20]}, name="train_rbm"
)
for epoch in range(3):
    print("cost", [float(train_rbm(i)) for i in range(3)])
print("weights", W.get_value(borrow=True).sum(), bit_i_idx.get_value(), persistent.get_value().sum())
