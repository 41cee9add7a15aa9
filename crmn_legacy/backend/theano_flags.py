"""What a user told Theano in ``THEANO_FLAGS`` and ``~/.theanorc``, told to Aesara when that is first imported.

Of one setting, the first of these that has it counts: ``AESARA_FLAGS``, ``THEANO_FLAGS``, ``~/.aesararc``,
``~/.theanorc`` (``AESARARC`` and ``THEANORC`` name other files). A script may set either variable itself, before its
first ``import theano``. Of Theano's settings, those for its GPU code and its compiler are set aside, and so is what
Aesara does not know or would not take; one note names them all. None ends in a traceback.
"""

import os
import shlex
from configparser import ConfigParser, Error, InterpolationError, RawConfigParser

from crmn_legacy.backend import aesara_patches, variables

# What Aesara knows, too, and would take, but was chosen for another machine's compiler, or for a card.
_SET_ASIDE = ("device", "force_device", "base_compiledir", "compiledir", "compiledir_format", "nocleanup")
_SECTIONS_SET_ASIDE = ("blas__", "cmodule__", "ctc__", "gcc__", "lib__", "nvcc__")
_TAGS = ("optimizer_including", "optimizer_excluding", "optimizer_requiring")
# Theano's warnings of faults that it once had; there is nothing to tell where they are not obeyed.
_SILENT = ("warn__", "experimental__")

_ANOTHER_NAME = {
    ("mode", "ProfileMode"): ("profile", "True"),
    ("mode", "PROFILE_MODE"): ("profile", "True"),
}

_read = {}


def install():
    """Have Aesara's settings follow Theano's when it is imported; call it before Aesara starts."""
    # Before the mends that choose what nobody has chosen.
    aesara_patches.mend_when_imported("aesara.configparser", obey)


def value(name, default=None):
    """A setting of Theano's that Aesara has no use for, as it was given (a str); `default` where it was not."""
    return _read.get(name.lower(), (None, default))[1]


def obey(module):
    """Give the configuration that ``aesara.configparser`` has just made what Theano's flags and files say."""
    config = module._config
    _drop_device(config)
    wishes = _Wishes(config)
    config.add = wishes.add
    config.warn_unused_flags = wishes.end


def _drop_device(config):
    """Have Aesara compute on the processor, whatever its own flags and files say: it knows no other device."""
    device = config._flags_dict.get("device", "cpu")
    if device != "cpu":
        variables.tell(f"device={device} of AESARA_FLAGS set aside: Aesara computes on the processor alone")
    config._flags_dict["device"] = "cpu"


class _Wishes:
    """Theano's settings on their way to Aesara's options, each tried as Aesara declares the option of its name."""

    def __init__(self, config):
        self._config = config
        self._declare = config.add
        self._unused = config.warn_unused_flags
        self._given = {}  # option's name in lower case -> (source, name as given, value)
        self._aside = {}  # source -> list of name=value
        files = os.environ.get("THEANORC", "~/.theanorc")
        self._collect(files, _from_files(files, self._note), below_aesaras_files=True)
        self._collect("THEANO_FLAGS", _from_variable(self._note))
        for name in ("cxx", *_TAGS):
            # What the mends that follow look for, before Aesara declares anything.
            if name in self._given:
                config._flags_dict.setdefault(name, self._given[name][2])

    def _note(self, source, text):
        self._aside.setdefault(source, []).append(text)

    def _collect(self, source, settings, below_aesaras_files=False):
        for given, value in settings.items():
            name = given.replace(".", "__")
            _read[name.lower()] = given, value
            if name == "device" and value == "cpu":
                continue
            if name in _SET_ASIDE or name.startswith(_SECTIONS_SET_ASIDE):
                self._note(source, f"{given}={value}")
                continue
            if name in _TAGS:
                value = self._without_gpu_tags(source, given, value)
            name, value = _ANOTHER_NAME.get((name, value), (name, value))
            if value and not self._is_chosen(name, below_aesaras_files):
                self._given[name.lower()] = source, given, value

    def _without_gpu_tags(self, source, name, value):
        tags = value.split(":")
        kept = [tag for tag in tags if not any(word in tag for word in ("gpu", "cuda", "dnn"))]
        if kept != tags:
            self._note(source, f"{name}={':'.join(tag for tag in tags if tag not in kept)}")
        return ":".join(kept)

    def _is_chosen(self, name, in_files_too):
        if name in self._config._flags_dict:
            return True
        try:
            self._config.fetch_val_for_key(name)
        except KeyError:
            return False
        return in_files_too

    def add(self, name, doc, configparam, in_c_key=True):
        """Declare an option of Aesara, with the value that Theano was given where Aesara would take it."""
        source, given, value = self._given.pop(name.lower(), (None, None, None))
        if source is not None:
            try:
                configparam.name = name
                configparam.validate(configparam.apply(value))
                self._config._flags_dict[name] = value
            except Exception:
                # Whatever a check of Aesara's raises: the value is not for it.
                self._config._flags_dict.pop(name, None)
                self._note(source, f"{given}={value}")
        self._declare(name, doc, configparam, in_c_key)

    def end(self):
        """Tell in one line what was set aside, once all options are declared."""
        for name, (source, given, value) in self._given.items():
            if not name.startswith(_SILENT) and name != "int_division":
                self._note(source, f"{given}={value}")
        if self._aside:
            named = "; ".join(f"{', '.join(found)} of {source}" for source, found in self._aside.items())
            variables.tell(f"set aside: {named}; they are for Theano's GPU code or compiler, or unknown here")
        self._unused()


def _from_variable(note):
    """Settings in ``THEANO_FLAGS``, name -> value, taken apart as Theano did."""
    text = os.environ.get("THEANO_FLAGS", "")
    splitter = shlex.shlex(text, posix=True)
    splitter.whitespace, splitter.whitespace_split = ",", True
    try:
        pairs = [part.strip().partition("=") for part in splitter]
    except ValueError:
        note("THEANO_FLAGS", text)
        return {}
    return {name.strip(): value.strip() for name, equals, value in pairs if equals}


def _from_files(names, note):
    """Settings in the files of `names`, name -> value; the last file counts most."""
    interpolated, raw = ConfigParser(strict=False), RawConfigParser(strict=False)
    interpolated.optionxform = raw.optionxform = str
    interpolated.defaults().update(
        USER=os.environ.get("USER", os.path.basename(os.path.expanduser("~"))),
        PID=str(os.getpid()),
        **{name: os.environ.get(name, "") for name in ("LSCRATCH", "TMPDIR", "TEMP", "TMP")},
    )
    found = {}
    for name in filter(None, names.split(os.pathsep)):
        path = os.path.expanduser(name)
        try:
            raw.clear()
            for parser in (interpolated, raw):
                parser.read(path)
        except (Error, OSError, UnicodeDecodeError) as error:
            note(name, f"the whole file ({str(error).splitlines()[0]})")
            continue
        for section in raw.sections():
            for option in raw.options(section):
                prefix = "" if section == "global" else f"{section}."
                found[prefix + option] = _interpolated(interpolated, raw, section, option)
    return found


def _interpolated(parser, raw, section, option):
    try:
        return parser.get(section, option)
    except InterpolationError:
        return raw.get(section, option)
