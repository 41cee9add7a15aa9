"""Sampling: leapfrog steps in a scan, gradients of an energy inside it, acceptance by a switch, adapted step sizes."""

import numpy
import theano
from theano import function, shared
from theano import tensor as TT

sharedX = lambda X, name: shared(numpy.asarray(X, dtype=theano.config.floatX), name=name)
rng = numpy.random.RandomState(5)
cov = numpy.array([[1.0, 0.4], [0.4, 0.8]], dtype=theano.config.floatX)
cov_inv = numpy.linalg.inv(cov)
mu = numpy.array([1.0, -1.0], dtype=theano.config.floatX)


def gaussian_energy(x):
    return 0.5 * (theano.tensor.dot((x - mu), cov_inv) * (x - mu)).sum(axis=1)


def simulate_dynamics(initial_pos, initial_vel, stepsize, n_steps):
    def leapfrog(pos, vel, step):
        dE_dpos = TT.grad(gaussian_energy(pos).sum(), pos)
        new_vel = vel - step * dE_dpos
        return [pos + step * new_vel, new_vel], {}

    dE_dpos = TT.grad(gaussian_energy(initial_pos).sum(), initial_pos)
    vel_half_step = initial_vel - 0.5 * stepsize * dE_dpos
    pos_full_step = initial_pos + stepsize * vel_half_step
    (all_pos, all_vel), scan_updates = theano.scan(
        leapfrog,
        outputs_info=[dict(initial=pos_full_step), dict(initial=vel_half_step)],
        non_sequences=[stepsize],
        n_steps=n_steps - 1,
    )
    final_pos = all_pos[-1]
    final_vel = all_vel[-1] - 0.5 * stepsize * TT.grad(gaussian_energy(final_pos).sum(), final_pos)
    return final_pos, final_vel, scan_updates


positions, stepsize = sharedX(rng.randn(50, 2), "positions"), sharedX(0.1, "stepsize")
acceptance = sharedX(0.9, "avg_acceptance_rate")
s_rng = TT.shared_randomstreams.RandomStreams(12345)
initial_vel = s_rng.normal(size=positions.shape)
final_pos, final_vel, updates = simulate_dynamics(positions, initial_vel, stepsize, 10)
kinetic = lambda vel: 0.5 * (vel**2).sum(axis=1)
energy = lambda pos, vel: gaussian_energy(pos) + kinetic(vel)
accept = (
    TT.exp(energy(positions, initial_vel) - energy(final_pos, final_vel)) - s_rng.uniform(size=(positions.shape[0],))
    >= 0
)
accept_matrix = accept.dimshuffle(0, *(("x",) * (final_pos.ndim - 1)))
new_positions = TT.switch(accept_matrix, final_pos, positions)
_new_stepsize = TT.switch(acceptance > 0.9, stepsize * 1.02, stepsize * 0.98)
updates.update(
    [
        (positions, new_positions),
        (stepsize, TT.clip(_new_stepsize, 0.001, 0.25)),
        (acceptance, TT.add(0.9 * acceptance, 0.1 * accept.mean())),
    ]
)
simulate = function([], [], updates=updates)
for _ in range(30):
    simulate()
samples = positions.get_value(borrow=True)
print("mean", *map(float, samples.mean(axis=0)))
print("step", float(stepsize.get_value()), float(acceptance.get_value()))
