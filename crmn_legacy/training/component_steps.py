"""The training step of an epoch, by the components that are still trained in it."""

import numpy as np


class ComponentSteps:
    """The training step of an epoch: of all components while all are trained, later of those that still are.

    A step is made when it is first needed. The state is that of the step that trains all; what another one does not
    have stays as it is.

    Parameters
    ----------
    make : callable
        Called with ``trained``, a tuple of components, it returns their `crmn_legacy.backend.compile.Step`, or what
        has the same methods; without it, that of all.
    components : sequence of str
    dtype : str
        Of rates.
    """

    def __init__(self, make, components, dtype):
        self._make, self._dtype = make, dtype
        self._whole = make()
        self._steps = {tuple(components): self._whole}
        # Of the whole step: the state's ways in and out.
        self.initial_state, self.release = self._whole.initial_state, self._whole.release
        self.put, self.get = self._whole.put, self._whole.get

    def __call__(self, state, batch, rates):
        """One update of the components that have a rate (a float); see `crmn_legacy.backend.compile.Step`."""
        trained = tuple(rates)
        # Numbers of the format that the step's inputs have.
        rates = {name: np.asarray(rate, self._dtype) for name, rate in rates.items()}
        if trained not in self._steps:
            self._steps[trained] = self._make(trained=trained)
        new, outputs = self._steps[trained](state, batch, rates)
        return {**state, **new}, outputs
