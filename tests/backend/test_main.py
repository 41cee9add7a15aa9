import gzip
import os
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

FLOAT64 = "note: computed in float64, Theano's default; THEANO_FLAGS=floatX=float32 has it in float32\n"
USAGE = "usage: python -m crmn_legacy.backend SCRIPT [ARGS], or -m MODULE [ARGS]"


def front_door(*arguments, cwd, **environment):
    repository = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    path = os.pathsep.join(filter(None, [repository, os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", "crmn_legacy.backend", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=180,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, "AESARA_FLAGS": "cxx=,mode=FAST_COMPILE", **environment},
    )


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


# A Lasagne 0.1 program as its users wrote them, for Python 2 and 3.
TRAINING = """
    #!/usr/bin/env python
    from __future__ import print_function
    import sys
    import numpy as np
    import theano
    import theano.tensor as T
    import lasagne

    def main(num_epochs=60):
        lasagne.random.set_rng(np.random.RandomState(1))
        points = np.random.RandomState(0).randn(64, 1, 6, 6).astype(theano.config.floatX)
        labels = (points.mean(axis=(1, 2, 3)) > 0).astype('int32')
        input_var, target_var = T.tensor4('inputs'), T.ivector('targets')
        network = lasagne.layers.InputLayer((None, 1, 6, 6), input_var)
        network = lasagne.layers.Conv2DLayer(network, num_filters=4, filter_size=(3, 3))
        network = lasagne.layers.MaxPool2DLayer(network, pool_size=(2, 2))
        network = lasagne.layers.DropoutLayer(network, p=0.1)
        network = lasagne.layers.DenseLayer(network, 2, nonlinearity=lasagne.nonlinearities.softmax)
        prediction = lasagne.layers.get_output(network)
        loss = lasagne.objectives.categorical_crossentropy(prediction, target_var).mean()
        params = lasagne.layers.get_all_params(network, trainable=True)
        updates = lasagne.updates.nesterov_momentum(loss, params, learning_rate=0.1, momentum=0.9)
        train = theano.function([input_var, target_var], loss, updates=updates)
        losses = [float(train(points, labels)) for epoch in range(num_epochs)]
        print('%.3f -> %.3f' % (losses[0], losses[-1]))

    if __name__ == '__main__':
        main(*[int(argument) for argument in sys.argv[1:]])
"""

RECURRENT = """
    import numpy as np
    import theano
    import theano.tensor as T
    import lasagne

    l_in = lasagne.layers.InputLayer(shape=(4, 5, 2))
    l_mask = lasagne.layers.InputLayer(shape=(4, 5))
    l_forward = lasagne.layers.LSTMLayer(l_in, 3, mask_input=l_mask)
    l_out = lasagne.layers.DenseLayer(lasagne.layers.SliceLayer(l_forward, -1, 1), 1, nonlinearity=None)
    target = T.vector('target')
    cost = T.mean(T.sqr(lasagne.layers.get_output(l_out).flatten() - target))
    updates = lasagne.updates.adagrad(cost, lasagne.layers.get_all_params(l_out), 0.1)
    train = theano.function([l_in.input_var, target, l_mask.input_var], cost, updates=updates)
    X = np.random.RandomState(0).uniform(size=(4, 5, 2)).astype(theano.config.floatX)
    y, mask = X.sum(axis=(1, 2)), np.ones((4, 5), dtype=theano.config.floatX)
    costs = [train(X, y, mask) for _ in range(20)]
    print(costs[-1] < 0.5 * costs[0])
"""


def test_a_convolutional_lasagne_script_trains_and_is_quiet(tmp_path):
    ran = front_door(write(tmp_path / "train.py", TRAINING), "40", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, FLOAT64)
    first, last = map(float, ran.stdout.split(" -> "))
    assert last < 0.5 * first


def test_a_recurrent_lasagne_script_with_scan_trains(tmp_path):
    ran = front_door(write(tmp_path / "recurrent.py", RECURRENT), cwd=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "True\n", FLOAT64)


def test_comparisons_and_streams_are_theanos(tmp_path):
    script = """
        import numpy as np
        import theano
        import theano.tensor as T
        from theano.tensor.shared_randomstreams import RandomStreams
        x = T.dvector()
        above = theano.function([x], [T.gt(x, 0) + T.gt(x, 1), x[x > 0]])([2, .5, -1])
        print(above[0].dtype, above[0].tolist(), above[1].tolist())
        drawn = theano.function([], RandomStreams(7).uniform((2,)))()
        seed = np.random.RandomState(7).randint(2 ** 30)
        print((drawn == np.random.RandomState(seed).uniform(size=2)).all())
    """
    ran = front_door(write(tmp_path / "script.py", script), cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, "int8 [2, 1, 0] [2.0, 0.5]\nTrue\n")


def test_the_script_sees_what_python_would_show_it(tmp_path):
    script = write(
        tmp_path / "folder" / "script.py",
        """
        import pickle, sys
        import beside
        class Thing:
            pass
        assert isinstance(pickle.loads(pickle.dumps(Thing())), Thing)
        print(__name__, __file__, sys.argv, sys.path[0] == beside.FOLDER)
        """,
    )
    write(tmp_path / "folder" / "beside.py", "import os\nFOLDER = os.path.dirname(os.path.realpath(__file__))\n")
    ran = front_door("folder/script.py", "--flag", "-h", "two words", cwd=tmp_path)
    expected = "__main__ folder/script.py ['folder/script.py', '--flag', '-h', 'two words'] True\n"
    assert (ran.stdout, ran.stderr) == (expected, "")
    assert script.exists()


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("sys.exit(7)", 7, ""),
        ("sys.exit('gave up')", 1, "gave up\n"),
        ("sys.exit()", 0, ""),
        ("raise ValueError('wrong')", 1, "ValueError: wrong\n"),
    ],
)
def test_the_exit_status_is_the_scripts(tmp_path, line, status, said):
    ran = front_door(write(tmp_path / "script.py", f"import sys\n{line}\n"), cwd=tmp_path)
    assert ran.returncode == status
    assert ran.stderr.endswith(said)
    assert bool(ran.stderr) == bool(said)
    assert "crmn_legacy" not in ran.stderr


def test_a_package_is_run_as_python_would_run_it(tmp_path):
    write(tmp_path / "package" / "__init__.py", "import lasagne\n")
    write(tmp_path / "package" / "beside.py", "NUMBER = 3\n")
    write(
        tmp_path / "package" / "__main__.py",
        """
        import os, pickle, sys
        from .beside import NUMBER
        class Thing:
            pass
        assert isinstance(pickle.loads(pickle.dumps(Thing())), Thing)
        print(NUMBER, __name__, __package__, sys.argv[1:], sys.path[0] == os.getcwd())
        1 / 0
        """,
    )
    for name in ("package", "package.__main__"):
        ran = front_door("-m", name, "-h", cwd=tmp_path)
        assert ran.returncode == 1 and ran.stdout == "3 __main__ package ['-h'] True\n"
        assert ran.stderr.endswith("ZeroDivisionError: division by zero\n") and "crmn_legacy" not in ran.stderr


def test_what_a_package_lacks_is_told_by_its_name(tmp_path):
    write(tmp_path / "package" / "__init__.py", "import nonesuch\n")
    ran = front_door("-m", "package", cwd=tmp_path)
    assert ran.returncode == 1 and ran.stderr.endswith("ModuleNotFoundError: No module named 'nonesuch'\n")


def test_a_suite_that_imports_lasagne_is_run(tmp_path):
    write(tmp_path / "test_it.py", "import lasagne\ndef test_it():\n    assert lasagne.__version__ == '0.1'\n")
    ran = front_door("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py", cwd=tmp_path)
    assert ran.returncode == 0 and "1 passed" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        ([], "no script"),
        (["missing.py"], "cannot read missing.py"),
        (["."], "the directory ."),
        (["-m"], "-m and no module"),
        (["-m", "nonesuch"], "-m nonesuch, which Python does not find"),
        (["-m", "json.nonesuch.more"], "-m json.nonesuch.more, which"),
        (["-m", "email"], "-m email, which"),
        (["-m", "./script.py"], "-m ./script.py, which"),
    ],
)
def test_a_missing_script_is_one_line_and_status_2(tmp_path, arguments, got):
    ran = front_door(*arguments, cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.startswith("error: ") and ran.stderr.count("\n") == 1
    assert got in ran.stderr and USAGE in ran.stderr


def test_help_begins_with_the_usage_and_status_0(tmp_path):
    ran = front_door("--help", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("usage: python -m crmn_legacy.backend [OPTIONS] SCRIPT [ARGS], or -m MODULE [ARGS]\n")


@pytest.mark.parametrize("option", ["--no-such-option", "--hel"])
def test_options_are_known_and_never_abbreviated(tmp_path, option):
    ran = front_door(option, write(tmp_path / "script.py", ""), cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.startswith(f"error: unrecognized arguments: {option}") and ran.stderr.count("\n") == 1


def test_nothing_is_imported_before_the_script_sets_its_flags(tmp_path):
    script = write(
        tmp_path / "script.py",
        """
        import os, sys
        assert not {"aesara", "theano", "numpy", "jax"} & set(sys.modules)
        os.environ["THEANO_FLAGS"] = "floatX=float32,device=gpu0,lib.cnmem=0.8,optimizer_including=cudnn"
        import theano
        print(theano.config.floatX, theano.config.device, theano.config.lib.cnmem)
        """,
    )
    ran = front_door(script, cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, "float32 cpu 0.8\n")
    assert ran.stderr == (
        "note: set aside: device=gpu0, lib.cnmem=0.8, optimizer_including=cudnn of THEANO_FLAGS; they are for Theano's "
        "GPU code or compiler, or unknown here\n"
    )


@pytest.mark.parametrize(
    "source", ["print 'hello'\n", "try:\n    pass\nexcept A, e:\n    pass\n", "if 1:\n        x\n\ty\n"]
)
@pytest.mark.parametrize("place", ["script.py", "beside.py"])
def test_python_2_is_told_so_in_one_line(tmp_path, source, place):
    script = write(tmp_path / "script.py", "import beside\n")
    (tmp_path / place).write_text(source)
    ran = front_door(script, cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.startswith(f"error: got {tmp_path / place}, line ") and ran.stderr.count("\n") == 1
    assert ran.stderr.endswith(", but it is Python 2: give --python2 before the script\n")


@pytest.mark.parametrize(
    ("options", "expected"), [([], "expected Python 3: mend"), (["--python2"], "expected Python 2 or 3: mend")]
)
def test_what_is_no_python_is_told_in_one_line(tmp_path, options, expected):
    ran = front_door(*options, write(tmp_path / "script.py", "x = 1\n1 +\n"), cwd=tmp_path)
    assert ran.returncode == 2
    assert f"script.py, line 2 (invalid syntax), {expected}" in ran.stderr and ran.stderr.count("\n") == 1


def test_a_syntax_error_of_code_in_a_string_is_the_scripts_own(tmp_path):
    ran = front_door(write(tmp_path / "script.py", "eval('1 +')\n"), cwd=tmp_path)
    assert ran.returncode == 1
    assert ran.stderr.startswith("Traceback") and ran.stderr.endswith("SyntaxError: invalid syntax\n")


PYTHON2 = """
    import cPickle, gzip, os, sys
    import numpy
    import theano
    import theano.tensor as T

    class Regression(object):
    \tdef __init__(self, n_in):
    \t        self.W = theano.shared(numpy.zeros(n_in, dtype=theano.config.floatX), 'W')

    def load_data(dataset):
        f = gzip.open(dataset, 'rb')
        train_set = cPickle.load(f)
        f.close()
        return [theano.shared(part) for part in train_set]

    x, y = load_data(sys.argv[1])
    batch = 8
    n_batches = x.get_value(borrow=True).shape[0] / batch
    index = T.lscalar()
    model = Regression(3)
    X, Y = T.matrix('x'), T.vector('y')
    cost = T.mean((T.dot(X, model.W) - Y) ** 2)
    rows = slice(index * batch, (index + 1) * batch)
    train = theano.function([index], cost, updates={model.W: model.W - 0.1 * T.grad(cost, model.W)}.items(),
                            givens={X: x[rows], Y: y[rows]})
    for epoch in xrange(40):
        costs = map(train, range(n_batches))
    print 'batches %d, cost %.3f' % (n_batches, numpy.mean(costs)),
    print model.W.get_value().round(1)
"""


def test_a_python_2_program_trains(tmp_path):
    rng = np.random.RandomState(0)
    points = rng.randn(36, 3)
    with gzip.open(tmp_path / "data.pkl.gz", "wb") as file:
        pickle.dump((points, points @ [1.0, -2.0, 0.5]), file, 2)
    script = write(tmp_path / "script.py", PYTHON2)
    ran = front_door("--python2", script, "data.pkl.gz", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, FLOAT64)
    assert ran.stdout == "batches 4, cost 0.000 [ 1.  -2.   0.5]\n"


def test_a_python_3_program_runs_as_python_2_too(tmp_path):
    script = write(tmp_path / "script.py", "import sys\nprint(f'{7 / 2}', *sys.argv[1:], file=sys.stdout)\n")
    ran = front_door("--python2", script, "--python2", cwd=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "3.5 --python2\n", "")


def test_a_python_2_programs_traceback_is_its_own(tmp_path):
    script = write(tmp_path / "script.py", "import beside\n")
    write(tmp_path / "beside.py", "print 'here'\nx = [1] / 2\n")
    ran = front_door("--python2", script, cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "here\n")
    assert [line.split(", line ")[1] for line in ran.stderr.splitlines() if ", line " in line] == [
        "1, in <module>", "2, in <module>",
    ]  # fmt: skip
    assert ran.stderr.endswith("TypeError: unsupported operand type(s) for /: 'list' and 'int'\n")
    assert "crmn_legacy" not in ran.stderr


def test_that_aesara_is_to_change_is_no_news(tmp_path):
    lines = "import theano.tensor as T\nx = T.matrix()\nT.nnet.h_softmax(x, 2, 6, 2, 3, x, x, T.tensor3(), x)\n"
    ran = front_door(write(tmp_path / "script.py", lines), cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
