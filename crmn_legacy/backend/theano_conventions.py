"""How Theano's classes are called and unpickled, where not as Aesara's, added to Aesara's as they are imported.

Nothing that Aesara does by itself changes: each mend takes one more way of calling, or of a pickle's state.
"""

from crmn_legacy.backend import aesara_patches


def install():
    """Have Aesara's classes take Theano's ways from their import on."""
    aesara_patches.mend_when_imported("aesara.compile.sharedvalue", mend_shared_variables)
    aesara_patches.mend_when_imported("aesara.graph.basic", mend_variables)
    aesara_patches.mend_when_imported("aesara.graph.op", mend_operations)
    aesara_patches.mend_when_imported("aesara.tensor.type", mend_pickled_types)
    aesara_patches.mend_when_imported("aesara.tensor.type", mend_default_updates)
    aesara_patches.mend_when_imported("aesara.tensor.var", mend_methods)


def mend_variables(module):
    """Let a variable be made of a type alone, and be read from a pickle of Theano's."""
    aesara_patches._require_version()
    module.Variable.__init__.__defaults__ = (None, None, None)

    def set_state(self, state):
        """Take the attributes, those that are properties now by the properties."""
        for name, value in state.items():
            setattr(self, name, value)

    module.Variable.__setstate__ = set_state


def mend_shared_variables(module):
    """Read a shared variable from a pickle of Theano's, whose default update may be missing; and let it be zeroed."""
    aesara_patches._require_version()
    module.SharedVariable._default_update = None

    def zero(self, borrow=False):
        """Set every element to nought."""
        value = self.get_value(borrow=True)
        self.set_value(value * 0, borrow=True)

    module.SharedVariable.zero = zero


# Methods that are asked now with the graph first, and how many parameters they had without it.
_WITHOUT_GRAPH = {"infer_shape": 3, "do_constant_folding": 2}

# Methods that are told now of the compiler.
_WITHOUT_COMPILER = ("c_compile_args", "c_header_dirs", "c_headers", "c_lib_dirs", "c_libraries", "c_no_compile_args")


def mend_operations(module):
    """Let a program's operation have methods that take neither the graph nor the compiler."""
    aesara_patches._require_version()

    def adapt_subclass(cls, **options):
        super(module.Op, cls).__init_subclass__(**options)
        for name, count in _WITHOUT_GRAPH.items():
            method = vars(cls).get(name)
            if _takes(method, count):
                setattr(cls, name, _with_graph(method))
        for name in _WITHOUT_COMPILER:
            method = vars(cls).get(name)
            if _takes(method, 1):
                setattr(cls, name, _with_compiler(method))

    module.Op.__init_subclass__ = classmethod(adapt_subclass)


def _with_graph(method):
    return lambda self, fgraph, *arguments: method(self, *arguments)


def _with_compiler(method):
    return lambda self, **compiler: method(self)


def _takes(function, count):
    """Whether a function has exactly so many parameters, all of them positional."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_argcount == count and not code.co_flags & 0x0C


def mend_pickled_types(module):
    """Read a tensor's type from a pickle of Theano's, which says of each axis whether its length is 1."""
    aesara_patches._require_version()

    def set_state(self, state):
        """Take Aesara's attributes or Theano's."""
        if "shape" in state:
            vars(self).update(state)
        else:
            shape = tuple(1 if flag else None for flag in state["broadcastable"])
            module.TensorType.__init__(self, state["dtype"], shape, state.get("name"))

    module.TensorType.__setstate__ = set_state


def mend_default_updates(module):
    """Let a shared value's default update have a length that is known where the shared value's is not.

    Aesara takes it for an update that a call names, and refuses it for one that the shared value has: those of a
    batch normalization.
    """
    aesara_patches._require_version()
    original = module.TensorType.filter_variable

    def filter_variable(self, other, allow_convert=True):
        """`other` if it is as specific as this type, or more; else converted to it."""
        kind = getattr(other, "type", None)
        if isinstance(kind, module.TensorType) and self.is_super(kind):
            return other
        return original(self, other, allow_convert)

    filter_variable.__wrapped__ = original
    module.TensorType.filter_variable = filter_variable


def mend_methods(module):
    """Let a tensor be made of a type alone, and its methods be called as in Theano 0.7.

    ``x.flatten`` is told the number of axes by its old name, ``x.std`` and ``x.var`` whether to keep them second.
    """
    aesara_patches._require_version()
    module.TensorVariable.__init__.__defaults__ = (None, None, None)
    operators = module._tensor_py_operators
    original = operators.flatten

    def flatten(self, ndim=1, outdim=None):
        """The tensor with the axes from ``ndim - 1`` on made one."""
        return original(self, ndim if outdim is None else outdim)

    flatten.__wrapped__ = original
    operators.flatten = flatten
    for name in ("std", "var"):
        setattr(operators, name, _with_keepdims_second(getattr(operators, name)))


def _with_keepdims_second(method):
    def of_axis(self, axis=None, ddof=0, keepdims=False, corrected=False):
        if isinstance(ddof, bool):
            ddof, keepdims = 0, ddof
        return method(self, axis, ddof, keepdims, corrected)

    of_axis.__wrapped__ = method
    return of_axis
