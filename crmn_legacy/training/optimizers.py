"""How gradients move parameters, with a learning rate for each component of the network."""

from collections import OrderedDict
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class NesterovMomentum:
    """Stochastic gradient descent with Nesterov's momentum, as `lasagne.updates.nesterov_momentum` has it.

    velocity <- momentum velocity - rate gradient; parameter <- parameter + momentum velocity - rate gradient, with
    the new velocity.

    Parameters
    ----------
    momentum : float
        In [0, 1).
    """

    momentum: float = 0.9

    def updates(self, loss, parameters, rates):
        """New values of parameters and velocities.

        Parameters
        ----------
        loss : Variable
            Scalar.
        parameters : list of SharedVariable
            All that are trained; each is named by its layer's path.
        rates : dict of str to Variable
            Scalar learning rate of each component of `component_of`.

        Returns
        -------
        OrderedDict of SharedVariable to Variable
            Velocities are named ``<parameter>.velocity``.
        """
        import aesara
        import lasagne

        gradients = dict(zip(parameters, aesara.grad(loss, parameters), strict=True))
        updates = OrderedDict()
        for component, rate in rates.items():
            members = [p for p in parameters if component_of(p.name) == component]
            of_component = lasagne.updates.nesterov_momentum(
                [gradients[p] for p in members], members, rate, self.momentum
            )
            velocities = [variable for variable in of_component if variable not in gradients]
            for parameter, velocity in zip(members, velocities, strict=True):
                velocity.name = f"{parameter.name}.velocity"
            updates.update(of_component)
        return updates

    def describe(self):
        """Name and settings, for ``--describe`` and provenance."""
        return {"name": "nesterov_momentum", **asdict(self)}


def component_of(name):
    """The paper's component that a parameter belongs to: ``resnet``, ``lstm`` or ``output``, by its layer's path."""
    head = name.split(".")[0]
    return head if head in ("lstm", "output") else "resnet"
