"""Deep convolutional networks with non-convolutional recurrent memory, on Lasagne 0.1 and Aesara.

Importing this package makes Theano's names importable, so that after it ``import lasagne`` works; it imports
neither NumPy nor Aesara itself, so that what needs no network (``verify``, ``--help``) starts at once.
"""

from crmn_legacy import backend, errors, submodules

__version__ = "0.1.0"

# Public name -> "module:attribute" (or "module" alone), imported when first asked for (PEP 562).
_LAZY = {
    "Recipe": "crmn_legacy.recipe:Recipe",
    "Trial": "crmn_legacy.recipe:Trial",
    "fit": "crmn_legacy.training.fitting:fit",
    "load": "crmn_legacy.inference.predictors:load",
    "main": "crmn_legacy.recipe:main",
    "name_parameters": "crmn_legacy.training.fitting:name_parameters",
    "restore": "crmn_legacy.training.fitting:restore",
    # A recipe names its network's family before anything builds it; to train from a bundle of programs nobody does, and
    # Lasagne need not be there.
    "models": "crmn_legacy.models",
}

backend.install()


_submodule, _names = submodules.attributes(globals())


def __getattr__(name):
    try:
        reference = _LAZY[name]
    except KeyError:
        # As `import crmn_legacy.name` would, and no more.
        return _submodule(name)
    errors.tell_uncaught()
    # A recipe asks for these before it asks for anything that brings NumPy in, which reads its switches only once.
    backend.resolve("crmn_legacy.backend.determinism").pin_host()
    # Importing the module itself will put it in the place of what stands for it.
    value = globals()[name] = _Unimported(reference) if name == "models" else backend.resolve(reference)
    return value


class _Unimported:
    """Stands for a module that is imported when something of it is first asked for."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, attribute):
        return getattr(backend.resolve(self._name), attribute)

    def __dir__(self):
        return dir(backend.resolve(self._name))


def __dir__():
    return sorted({*_names(), *_LAZY})
