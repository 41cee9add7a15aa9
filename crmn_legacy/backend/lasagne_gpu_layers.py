"""Lasagne's layers for GPU libraries, its own source unchanged: ``lasagne.layers.dnn``, ``corrmm``, ``cuda_convnet``.

They ask for a card as they are imported, and are told that there is one. What they call is answered by
:mod:`~crmn_legacy.backend.theano_modules`: the ordinary operations, on whichever device the program is compiled for.
"""

import contextlib
import importlib
import importlib.machinery
import sys
import warnings

from crmn_legacy.backend import theano_names

LAYERS = ("lasagne.layers.dnn", "lasagne.layers.corrmm", "lasagne.layers.cuda_convnet")

# What wrapped cuda-convnet for Theano; nothing else of pylearn2 is answered.
_WRAPPERS = ("pylearn2.sandbox.cuda_convnet.filter_acts", "pylearn2.sandbox.cuda_convnet.pool")


def install():
    """Answer for the layers, and for pylearn2's wrappers that they import, once they are imported; idempotent."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _Finder())


def answer_wrappers():
    """Answer for pylearn2's wrappers of cuda-convnet, without a pylearn2."""
    for name in _WRAPPERS:
        answer = theano_names.TheanoModule(name, ("crmn_legacy.backend.theano_modules.cuda_convnet",), {})
        sys.modules.setdefault(name, answer)


class _Finder:
    """Finds the layers where they are, and tells them of a card."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in LAYERS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader:
    """Loads a module with its own loader, as though there were a card."""

    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__loader__ = module.__spec__.loader = self._loader
        answer_wrappers()
        # Lasagne 0.1's cuda_convnet adds a list to one, as Python 2 did.
        module.range = lambda *sides: list(range(*sides))
        with _card():
            self._loader.exec_module(module)


@contextlib.contextmanager
def _card():
    from crmn_legacy.backend import theano_config

    cuda = importlib.import_module("theano.sandbox.cuda")
    with theano_config.pretended(device="gpu"), warnings.catch_warnings():
        # That floatX is float64, which is slow on a card.
        warnings.simplefilter("ignore")
        cuda.cuda_enabled = True
        try:
            yield
        finally:
            cuda.cuda_enabled = False
