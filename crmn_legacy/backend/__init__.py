"""Aesara 2.9.4 made to carry Lasagne 0.1: Theano's names, mends, and lowerings to XLA.

:func:`install` is all that is needed for ``import theano`` and ``import lasagne`` to work. It imports nothing
by itself: both doors (:mod:`~crmn_legacy.backend.theano_names`, :mod:`~crmn_legacy.backend.aesara_patches`) are
finders on ``sys.meta_path`` that act when Theano, Lasagne or Aesara is first imported, by whomever.
"""

import importlib

from crmn_legacy import submodules as _submodules
from crmn_legacy.backend import aesara_patches, lasagne_gpu_layers, theano_conventions, theano_names

__all__ = ["install", "resolve"]


def install():
    """Make ``import theano`` answer with Aesara, and every ``import aesara`` give a mended one; idempotent.

    Raises
    ------
    UserError
        If a real Theano is imported already, or an Aesara of another version than 2.9.4.
    """
    theano_names.install()
    aesara_patches.apply()
    theano_conventions.install()
    lasagne_gpu_layers.install()


def resolve(reference):
    """Import what ``"package.module:attribute"`` (or ``"package.module"`` alone) names, and return it."""
    module, _, attribute = reference.partition(":")
    found = importlib.import_module(module)
    return getattr(found, attribute) if attribute else found


__getattr__, __dir__ = _submodules.attributes(globals())
