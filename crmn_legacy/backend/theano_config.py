"""``theano.config``: Aesara's options under Theano's names, and what Aesara has no more, read and set without harm.

Theano's options have sections, ``theano.config.scan.allow_gc`` being Aesara's ``config.scan__allow_gc``. What the GPU
code and the compiler were told by has its default here, or what a program has set it to, and no effect.
"""

import contextlib

from crmn_legacy.backend import theano_flags, variables

# Theano's options that Aesara lacks, 0.7 to 1.0, with their defaults.
GONE = {
    "ProfileMode__min_memory_size": 1024,
    "ProfileMode__n_apply_to_print": 15,
    "ProfileMode__n_ops_to_print": 20,
    "ProfileMode__profile_memory": False,
    "cache_optimizations": False,
    "cmodule__mac_framework_link": False,
    "contexts": "",
    "cublas__lib": "cublas",
    "cuda__enabled": False,
    "cuda__include_path": "",
    "cuda__root": "",
    "dnn__base_path": "",
    "dnn__bin_path": "",
    "dnn__conv__algo_bwd": "",
    "dnn__conv__algo_bwd_data": "none",
    "dnn__conv__algo_bwd_filter": "none",
    "dnn__conv__algo_fwd": "small",
    "dnn__conv__precision": "as_input_f32",
    "dnn__conv__workmem": "",
    "dnn__conv__workmem_bwd": "",
    "dnn__enabled": "auto",
    "dnn__include_path": "",
    "dnn__library_path": "",
    "enable_initial_driver_test": True,
    "experimental__mrg": False,
    "experimental__unpickle_gpu_on_cpu": False,
    "gpu__local_elemwise_fusion": True,
    "gpuarray__cache_path": "",
    "gpuarray__init_device": "",
    "gpuarray__preallocate": 0.0,
    "gpuarray__sched": "default",
    "gpuarray__single_stream": True,
    "gpuarray__sync": False,
    "gpuelemwise__sync": True,
    "init_gpu_device": "",
    "int_division": "int",
    "lib__amdlibm": False,
    "lib__cnmem": 0.0,
    "magma__enabled": False,
    "magma__include_path": "",
    "magma__library_path": "",
    "numpy__seterr_all": "ignore",
    "numpy__seterr_divide": "None",
    "numpy__seterr_invalid": "None",
    "numpy__seterr_over": "None",
    "numpy__seterr_under": "None",
    "nvcc__compiler_bindir": "",
    "nvcc__cudafe": "heuristic",
    "nvcc__fastmath": False,
    "nvcc__flags": "",
    "print_active_device": True,
    "pycuda__init": False,
    "reoptimize_unpickled_function": False,
    "scan__debug": False,
    "warn__argmax_pushdown_bug": False,
    "warn__gpu_set_subtensor1": False,
    "warn__gpusum_01_011_0111_bug": False,
    "warn__identify_1pexp_bug": False,
    "warn__inc_set_subtensor1": False,
    "warn__inc_subtensor1_opt": False,
    "warn__reduce_join": False,
    "warn__signal_conv2d_interface": False,
    "warn__subtensor_merge_bug": False,
    "warn__sum_div_dimshuffle_bug": False,
    "warn__sum_sum_bug": False,
    "warn__vm_gc_bug": False,
}

# Fixed once Aesara has started; a program may ask for them, and goes on with the processor.
_FIXED = ("device", "force_device")
# What Theano took and Aesara does not, wholly or without a compiler; its defaults do in their place.
_TAKEN_BY_THEANO = {
    "linker": ("c|py", "py", "c", "c|py_nogc", "vm", "vm_nogc", "cvm", "cvm_nogc"),
    "mode": ("ProfileMode", "PROFILE_MODE"),
}
_FALSE = (False, 0, "false", "False", "0")

# What a program has set that Aesara has no use for, name -> value; and what it has chosen of the rest.
_kept, _chosen = {}, set()


def is_chosen(name):
    """Whether anybody, in flags, in a file or in the program, has set an option of Aesara's."""
    import aesara

    return name in _chosen or not vars(type(aesara.config))[name].is_default


@contextlib.contextmanager
def pretended(**options):
    """Let options be read as given, while a module that asks for a card is imported.

    Parameters
    ----------
    **options
        ``device="gpu"``.
    """
    before = dict(_kept)
    _kept.update(options)
    try:
        yield
    finally:
        _kept.clear()
        _kept.update(before)


class Section:
    """The options whose names begin with `prefix`, as attributes.

    Parameters
    ----------
    prefix : str
        ``""`` for all of them, ``"lib__"`` for those of the section ``lib``.
    """

    def __init__(self, prefix=""):
        object.__setattr__(self, "_prefix", prefix)

    def __getattr__(self, name):
        import aesara

        if name.startswith("__"):
            raise AttributeError(name)
        full = self._prefix + name
        if full in _kept:
            return _kept[full]
        if full in aesara.config._config_var_dict:
            return getattr(aesara.config, full)
        if full in GONE:
            return _as_given(full)
        if any(option.startswith(f"{full}__") for option in (*_kept, *GONE, *aesara.config._config_var_dict)):
            return Section(f"{full}__")
        if not self._prefix and hasattr(type(aesara.config), name):
            return getattr(aesara.config, name)
        raise AttributeError(f"theano.config has no option {full.replace('__', '.')}, neither here nor in Theano")

    def __setattr__(self, name, value):
        import aesara

        full = self._prefix + name
        if full not in aesara.config._config_var_dict:
            _kept[full] = value
        elif full in _FIXED:
            if value not in ("cpu", *_FALSE):
                variables.tell(f"theano.config.{name} = {value!r} set aside: this computes without Theano's GPU code")
        else:
            try:
                setattr(aesara.config, full, value)
            except ValueError:
                if value not in _TAKEN_BY_THEANO.get(full, ()):
                    raise
                variables.tell(f"theano.config.{name} = {value!r} set aside: Aesara has no such {name} here")
            _chosen.add(full)

    def __str__(self):
        import aesara

        return str(aesara.config)

    def __dir__(self):
        import aesara

        names = (*object.__dir__(self), *_kept, *GONE, *aesara.config._config_var_dict)
        return sorted({name[len(self._prefix) :].partition("__")[0] for name in names if name.startswith(self._prefix)})


def _as_given(name):
    """What Theano's flags or files say of an option that Aesara lacks, in its type; else its default."""
    default = GONE[name]
    given = theano_flags.value(name)
    if given is None:
        return default
    if isinstance(default, bool):
        return given not in _FALSE
    try:
        return type(default)(given)
    except ValueError:
        return default


class Config(Section):
    """``theano.config`` itself."""

    @contextlib.contextmanager
    def change_flags(self, *options, **named):
        """Set options for a while; a context manager, or a decorator of a function.

        Parameters
        ----------
        *options : dict, optional
            Name -> value; a name may have dots.
        **named
            The same by keyword, with ``__`` for a dot.
        """
        import aesara

        wanted = {name.replace(".", "__"): value for part in (*options, named) for name, value in part.items()}
        known = {name: value for name, value in wanted.items() if name in aesara.config._config_var_dict}
        known = {name: value for name, value in known.items() if name not in _FIXED}
        others = {name: value for name, value in wanted.items() if name not in known}
        with pretended(**others), aesara.config.change_flags(**known):
            yield


config = Config()


# Theano's way of declaring an option.


def AddConfigVar(name, doc, configparam, root=None, in_c_key=True):
    """Declare an option; ``theano.configparser.AddConfigVar``.

    Parameters
    ----------
    name : str
        With a dot behind its section's.
    doc : str
    configparam : ConfigParam
        Its kind and default, made by `EnumStr` and the like.
    root : object, optional
        Has no effect.
    in_c_key : bool
        Compiled code depends on it.
    """
    import aesara

    aesara.config.add(name.replace(".", "__"), doc, configparam, in_c_key)


def EnumStr(default, *options, **settings):
    """An option that is one of several words; ``theano.configparser.EnumStr``."""
    from aesara.configparser import EnumStr

    return EnumStr(default, options, **_settings(**settings))


def BoolParam(default, is_valid=None, allow_override=True):
    """An option that is true or false; ``theano.configparser.BoolParam``."""
    from aesara.configparser import BoolParam

    return BoolParam(default, **_settings(is_valid, allow_override))


def IntParam(default, is_valid=None, allow_override=True):
    """An option that is a whole number; ``theano.configparser.IntParam``."""
    from aesara.configparser import IntParam

    return IntParam(default, **_settings(is_valid, allow_override))


def FloatParam(default, is_valid=None, allow_override=True):
    """An option that is a number; ``theano.configparser.FloatParam``."""
    from aesara.configparser import FloatParam

    return FloatParam(default, **_settings(is_valid, allow_override))


def StrParam(default, is_valid=None, allow_override=True):
    """An option that is a text; ``theano.configparser.StrParam``."""
    from aesara.configparser import StrParam

    return StrParam(default, **_settings(is_valid, allow_override))


def ConfigParam(default, filter=None, allow_override=True):
    """An option of any kind, made right by `filter`; ``theano.configparser.ConfigParam``."""
    from aesara.configparser import ConfigParam

    return ConfigParam(default, apply=filter, mutable=allow_override)


def _settings(is_valid=None, allow_override=True):
    return {"validate": is_valid, "mutable": allow_override}
