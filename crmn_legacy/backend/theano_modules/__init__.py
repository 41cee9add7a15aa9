"""What answers for the modules of Theano without a place of their own in Aesara, and for functions that have changed.

:mod:`~crmn_legacy.backend.theano_modules.tables` says which; the other modules are imported when a name of theirs is
first asked for, and take Theano's arguments in Theano's order, 0.7 to 1.0. What was written for a GPU is computed by
the ordinary operations, on whichever device the program is compiled for.
"""

from crmn_legacy import submodules as _submodules

__getattr__, __dir__ = _submodules.attributes(globals())
