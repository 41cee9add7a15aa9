import numpy as np

# isort: split
import aesara
import theano
import theano.tensor as T

from crmn_legacy.backend.theano_modules import compilation


def test_a_monitor_is_called_with_or_without_the_graph(capsys):
    seen = []
    x = T.dvector()

    def before(i, node, fn):
        seen.append((i, [value[0].tolist() for value in fn.inputs]))

    def after(fgraph, i, node, fn):
        seen.append((i, [value[0].tolist() for value in fn.outputs]))

    with aesara.config.change_flags(cxx=""):
        mode = theano.compile.MonitorMode(before, after, optimizer=None)
        assert theano.function([x], x * 2, mode=mode)([3.0]).tolist() == [6]
        assert len(seen) >= 2 and seen[-1][1] == [[6.0]]
        mode = theano.compile.MonitorMode(post_func=theano.compile.monitormode.detect_nan)
        theano.function([x], T.log(x) * 2, mode=mode.excluding("fusion"))(np.array([-1.0]))
    assert "*** NaN detected ***" in capsys.readouterr().out


def test_a_profile_mode_computes_and_says_where_times_are(capsys):
    x = T.dvector()
    with aesara.config.change_flags(cxx=""):
        mode = theano.ProfileMode(optimizer="fast_compile", linker="py")
        assert theano.function([x], x + 1, mode=mode)([1.0]).tolist() == [2]
    mode.print_summary()
    assert "THEANO_FLAGS=profile=True" in capsys.readouterr().err


def test_the_version_is_that_of_the_last_theano():
    assert theano.__version__ == theano.version.version == theano.version.short_version == "1.0.5"
    major, minor, _ = map(int, theano.version.short_version.split("."))
    assert (major, minor) == (1, 0)


def test_the_folder_of_compiled_code_is_locked_and_let_go():
    from theano.gof.compilelock import get_lock, release_lock

    held = []
    for call in (get_lock, get_lock, release_lock, release_lock, release_lock):
        call()
        held.append(len(compilation._locks))
    assert held == [1, 2, 1, 0, 0]
