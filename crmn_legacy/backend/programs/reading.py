"""A bundle of programs as the steps of a run, without Aesara or Lasagne."""

import hashlib
import json
from pathlib import Path

import numpy as np

from crmn_legacy.errors import UserError

FORMAT = "crmn_legacy programs 1"
DESCRIBED = "program.json"

_KINDS = {
    **dict.fromkeys(("row", "precision", "initial_sha256"), str),
    **dict.fromkeys(("seed", "parameters", "flops"), int),
    **dict.fromkeys(("batch", "state", "rates", "programs", "files", "baked", "plan"), dict),
    "weights": list,
}

# What first weights are drawn from: of a name in a file no other method is called.
_DISTRIBUTIONS = ("normal", "uniform", "integers")


def open_bundle(folder):
    """A bundle whose description, and whose every file, is as it was written.

    Parameters
    ----------
    folder : path

    Returns
    -------
    crmn_legacy.backend.programs.run_program.Bundle

    Raises
    ------
    UserError
        It is none, or a file of it is missing or altered.
    """
    path = Path(folder) / DESCRIBED
    try:
        content = path.read_bytes()
        described = json.loads(content)
        if described["format"] != FORMAT:
            raise ValueError(f"format {described['format']!a:.60}")
        for name, kind in _KINDS.items():
            if not isinstance(described[name], kind):
                raise ValueError(f"{name} is no {kind.__name__}")
        for name, how in described["state"].items():
            if how.get("distribution", "normal") not in _DISTRIBUTIONS:
                raise ValueError(f"{name!a:.60} is drawn from {how['distribution']!a:.60}")
    except FileNotFoundError:
        raise UserError(f"got '{folder}' without {DESCRIBED}, expected a bundle: `export` writes one") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"got '{path}', which is altered ({error}); expected what `export` writes") from None
    from crmn_legacy.backend.programs.run_program import Bundle

    bundle = Bundle(folder)
    bundle.digest = hashlib.sha256(content).hexdigest()
    for name in described["files"]:
        if Path(name).name != name:
            raise UserError(f"got '{path}' with a file {name!a}, expected names without folders: altered")
        try:
            bundle.content(name)
        except (OSError, ValueError) as error:
            raise UserError(f"{error}: `export` it anew") from None
    return bundle


class ProgramStep:
    """A program behind the methods of `crmn_legacy.backend.compile.Step`.

    Parameters
    ----------
    bundle : crmn_legacy.backend.programs.run_program.Bundle
    name : str
        ``train``, ``evaluate`` ...
    platform : str
        ``cpu`` or ``cuda``.
    seed : int
        Of the first state.
    """

    def __init__(self, bundle, name, platform, seed):
        self._bundle, self._seed, self._batch = bundle, seed, bundle.described["batch"]
        try:
            self._program = bundle.program(name, platform)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"got the bundle '{bundle.folder}', which will not do ({error}): `export` it anew"
            ) from None
        self.put = self._program.put
        self.get = self._program.get
        self.state_names = sorted(e["name"] for e in self._program.inputs if e["part"] == "state")

    def initial_state(self):
        """The first state, ready to be given to the step."""
        own = self._bundle.described["seed"]
        if self._seed != own and "initial.npz" in self._bundle.described["files"]:
            raise UserError(
                f"--seed got {self._seed} with a bundle whose first weights are stored, expected {own}: `export` one"
            )
        try:
            return self.put(self._bundle.initial_state(self._seed))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"got the bundle '{self._bundle.folder}', whose first weights cannot be made: {error}"
            ) from None

    def release(self):
        """There is nothing to give up."""

    def get_outputs(self, outputs):
        """Outputs as NumPy arrays, by name; waits until they are computed."""
        return {name: np.asarray(value) for name, value in outputs.items()}

    def __call__(self, state, batch, rates=None):
        """One step; `state` must not be used again if the step donates."""
        for name, kind in self._batch.items():
            found = batch[name]
            if list(found.shape) != kind["shape"] or str(found.dtype) != kind["dtype"]:
                raise UserError(
                    f"got data with {name} {found.dtype} {found.shape}, expected {kind['dtype']} "
                    f"{tuple(kind['shape'])}, for which the bundle '{self._bundle.folder}' was made: `export` another"
                )
        found = self._program(state={name: state[name] for name in self.state_names}, batch=batch, rates=rates or {})
        return state | found["state"], found["outputs"]
