"""How gradients move parameters, with a learning rate for each component of the network."""

from collections import OrderedDict
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from functools import cache

# The name under which a schedule gives the momentum, where that changes too.
MOMENTUM = "momentum"


@dataclass(frozen=True)
class _Optimizer:
    """What optimisers have in common: groups of parameters that share a rate.

    Parameters
    ----------
    rate_multipliers : tuple of (str, float)
        Patterns over parameters' names, as of `fnmatch`, and what the learning rate is multiplied by there; the first
        that fits counts.
    """

    def updates(self, loss, parameters, rates):
        """New values of parameters and of what the optimiser keeps.

        Parameters
        ----------
        loss : Variable
            Scalar.
        parameters : list of SharedVariable
            All that are trained; each is named by its layer's path.
        rates : dict of str to Variable
            Scalar learning rate of each component of `component_of`; under `MOMENTUM`, if it is there, the momentum.

        Returns
        -------
        OrderedDict of SharedVariable to Variable
            What the optimiser keeps is named ``<parameter>.<what it is>``.

        Raises
        ------
        ValueError
            A parameter belongs to none of the components.
        """
        import aesara

        # `aesara.grad` goes down one call a term of a sum: from its end, the terms of a long decay are met one by one.
        backwards = parameters[::-1]
        gradients = dict(zip(backwards, aesara.grad(loss, backwards), strict=True))
        rates = dict(rates)
        momentum = rates.pop(MOMENTUM, None)
        updates = OrderedDict()
        for (component, factor), members in self._groups(parameters, rates).items():
            rate = rates[component] if factor == 1 else rates[component] * factor
            of_group = self._updates([gradients[p] for p in members], members, rate, momentum)
            updates.update(of_group)
        return updates

    def _groups(self, parameters, components):
        """(component, factor) -> its parameters, in the order of the components."""
        groups = OrderedDict()
        for component in components:
            for parameter in parameters:
                if component_of(parameter.name, components) == component:
                    groups.setdefault((component, self._factor(parameter.name)), []).append(parameter)
        return groups

    def _factor(self, name):
        multipliers = getattr(self, "rate_multipliers", ())
        return next((factor for pattern, factor in multipliers if fnmatchcase(name, pattern)), 1)

    def _kept(self, updates, parameters, *names):
        """Name what Lasagne's function keeps of each parameter, in the order in which it made them."""
        given = set(parameters)
        kept = iter([variable for variable in updates if variable not in given])
        for parameter in parameters:
            for name in names:
                next(kept).name = f"{parameter.name}.{name}"
        return updates

    def describe(self):
        """Name and settings, for ``--describe`` and provenance; what has no effect is left out."""
        settings = {name: value for name, value in asdict(self).items() if value != ()}
        return {"name": self.name, **settings}


def _broadcast(scalar):
    """Number of dimensions -> a scalar of so many; one expression for all that use it, else each makes its own."""
    import aesara.tensor as T

    return cache(lambda ndim: T.as_tensor_variable(scalar).dimshuffle(["x"] * ndim))


@dataclass(frozen=True)
class NesterovMomentum(_Optimizer):
    """Stochastic gradient descent with Nesterov's momentum, as `lasagne.updates.nesterov_momentum` has it.

    velocity <- momentum velocity - rate (1 - dampening) gradient; parameter <- parameter + momentum velocity -
    rate (1 - dampening) gradient, with the new velocity.

    Parameters
    ----------
    momentum : float
        In [0, 1). A schedule that gives a momentum overrides it.
    dampening : float
        In [0, 1).
    rate_multipliers : tuple of (str, float)
        Patterns over parameters' names, and what the rate is multiplied by there.
    """

    name = "nesterov_momentum"

    momentum: float = 0.9
    dampening: float = 0.0
    rate_multipliers: tuple = ()

    def _updates(self, gradients, members, rate, momentum):
        import lasagne

        if self.dampening:
            gradients = [gradient * (1 - self.dampening) for gradient in gradients]
        momentum = self.momentum if momentum is None else momentum
        updates = lasagne.updates.nesterov_momentum(gradients, members, rate, momentum)
        return self._kept(updates, members, "velocity")

    def describe(self):
        """Name and settings, for ``--describe`` and provenance; what has no effect is left out."""
        described = super().describe()
        return described if self.dampening else {k: v for k, v in described.items() if k != "dampening"}


@dataclass(frozen=True)
class Momentum(_Optimizer):
    """Stochastic gradient descent with plain momentum, as `lasagne.updates.momentum` has it.

    velocity <- momentum velocity - rate gradient; parameter <- parameter + velocity.

    Parameters
    ----------
    momentum : float
        In [0, 1). A schedule that gives a momentum overrides it.
    rate_multipliers : tuple of (str, float)
        Patterns over parameters' names, and what the rate is multiplied by there.
    """

    name = "momentum"

    momentum: float = 0.9
    rate_multipliers: tuple = ()

    def _updates(self, gradients, members, rate, momentum):
        import lasagne

        momentum = self.momentum if momentum is None else momentum
        return self._kept(lasagne.updates.momentum(gradients, members, rate, momentum), members, "velocity")


@dataclass(frozen=True)
class TorchMomentum(_Optimizer):
    """Stochastic gradient descent with momentum as Torch's `optim.sgd` has it, dampening 0.

    velocity <- momentum velocity + gradient; parameter <- parameter - rate velocity. The rate is applied when the
    parameter moves and not when the velocity takes the gradient in, so that a shift of the rate acts at once.

    Parameters
    ----------
    momentum : float
        In [0, 1).
    rate_multipliers : tuple of (str, float)
        Patterns over parameters' names, and what the rate is multiplied by there.

    References
    ----------
    torch/optim, ``sgd.lua``.
    """

    name = "torch_momentum"

    momentum: float = 0.9
    rate_multipliers: tuple = ()

    def _updates(self, gradients, members, rate, momentum):
        import aesara
        import numpy as np

        momentum_of, rate_of = _broadcast(self.momentum if momentum is None else momentum), _broadcast(rate)
        updates = OrderedDict()
        for parameter, gradient in zip(members, gradients, strict=True):
            value = parameter.get_value(borrow=True)
            momentum, rate = momentum_of(value.ndim), rate_of(value.ndim)
            velocity = aesara.shared(np.zeros(value.shape, value.dtype), shape=parameter.type.shape)
            moved = momentum * velocity + gradient
            updates[velocity] = moved
            updates[parameter] = parameter - rate * self._step(gradient, moved, momentum)
        return self._kept(updates, members, "velocity")

    def _step(self, gradient, velocity, momentum):
        return velocity


@dataclass(frozen=True)
class TorchNesterov(TorchMomentum):
    """Nesterov's momentum as Torch's `optim.sgd` has it, dampening 0.

    velocity <- momentum velocity + gradient; parameter <- parameter - rate (gradient + momentum velocity), with the
    new velocity.

    Parameters
    ----------
    momentum : float
        In [0, 1).
    rate_multipliers : tuple of (str, float)
        Patterns over parameters' names, and what the rate is multiplied by there.

    References
    ----------
    torch/optim, ``sgd.lua``.
    """

    name = "torch_nesterov"

    def _step(self, gradient, velocity, momentum):
        return gradient + momentum * velocity


@dataclass(frozen=True)
class Adadelta(_Optimizer):
    """Zeiler's (2012) Adadelta, as `lasagne.updates.adadelta` has it.

    Parameters
    ----------
    rho : float
        Decay of the running means of squares.
    epsilon : float
        Added to them under the roots.
    """

    name = "adadelta"

    rho: float = 0.95
    epsilon: float = 1e-8

    def _updates(self, gradients, members, rate, momentum):
        import lasagne

        updates = lasagne.updates.adadelta(gradients, members, rate, self.rho, self.epsilon)
        return self._kept(updates, members, "mean_square_gradient", "mean_square_step")


def component_of(name, components=("resnet", "lstm", "output")):
    """The component that a parameter belongs to, by its layer's path.

    Parameters
    ----------
    name : str
        Of the parameter.
    components : iterable of str
        The schedule's. One that the path begins with; else ``resnet``, the paper's word for what is neither memory
        nor output, or ``network``, for all.

    Raises
    ------
    ValueError
        None of the components takes it.
    """
    components = tuple(components)
    for component in (name.split(".")[0], "resnet", "network"):
        if component in components:
            return component
    raise ValueError(f"the parameter {name!r} belongs to none of the components {components}")
