"""What converted code does, for what Python 3 reads but takes otherwise."""

import ast

import numpy as np
import pytest

from crmn_legacy.backend.python2 import meaning


@pytest.mark.parametrize(
    "source",
    [
        "f'{x}'", "def f(*, a): pass", "nonlocal_ = lambda: (yield from x)", "x: int = 1", "a @ b", "(x := 1)",
        "raise E from e", "class A(metaclass=M): pass", "super().__init__()", "print('a', file=f)", "a, *b = c",
        "async def f(): pass", "def f(a: int): pass",
    ],
)  # fmt: skip
def test_what_no_python_2_knew(source):
    assert meaning.is_only_python3(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    ["print('a')", "f(*a, **k)", "super(A, self).f()", "from __future__ import print_function\nprint('a', end='')"],
)
def test_what_either_python_reads(source):
    assert not meaning.is_only_python3(ast.parse(source))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7 / 2", 3), ("-7 / 2", -4), ("7.0 / 2", 3.5), ("7 / 2.", 3.5), ("True / 2", 0), ("a / 2", 3), ("b / a", 0.5),
        ("len('abc') / 2 * 1.0", 1.0), ("(a / 2) ** 2 / 2", 4),
    ],
)  # fmt: skip
def test_whole_numbers_divide_to_whole_numbers(run, expression, value):
    found = run(f"x = {expression}", a=7, b=3.5)["x"]
    assert found == value and type(found) is type(value)


def test_division_in_place_evaluates_its_target_once(run):
    found = run(
        """
        calls = []
        def place():
            calls.append(1)
            return box
        class Box(object):
            side = 7
        box, x, y = Box(), 7, [7, 7.0]
        x /= 2
        place().side /= 2
        y[0] /= 2; y[1] /= 2
        rows = numpy.arange(6)
        same = rows
        rows[1:5] /= 2
        rows[..., 5] /= 2
        z = 7.
        z /= 2
        """,
        numpy=np,
    )
    assert (found["x"], found["box"].side, found["calls"], found["y"], found["z"]) == (3, 3, [1], [3, 3.5], 3.5)
    assert found["same"].tolist() == [0, 0, 1, 1, 2, 2]


def test_true_division_where_the_program_asks_for_it(run):
    found = run("from __future__ import division\nx = 7 / 2\ny = 7\ny /= 2\n")
    assert (found["x"], found["y"]) == (3.5, 3.5)


@pytest.mark.parametrize(
    ("left", "right", "dtype"),
    [("int32", 2, "int32"), ("int64", "int32", "int64"), ("uint8", 2, "uint8"), ("float32", 2, "float32")],
)
def test_arrays_divide_by_their_types(run, left, right, dtype):
    right = np.array([2], right) if isinstance(right, str) else right
    found = run("x = a / b", a=np.array([7], left), b=right)["x"]
    assert found.dtype == dtype and found[0] == (3.5 if dtype == "float32" else 3)


def test_symbolic_whole_numbers_divide_as_theano_says(run):
    import theano
    import theano.tensor as T

    i, v = T.iscalar(), T.dvector()
    found = run("whole, half, mixed, back = i / 2, v / 2, i / 2., 9 / i", i=i, v=v)
    assert [found[name].dtype for name in ("whole", "half", "mixed", "back")] == [
        "int32",
        "float64",
        "float64",
        "int32",
    ]
    assert (found["whole"].eval({i: 7}), found["back"].eval({i: 2})) == (3, 4)
    with theano.config.change_flags(int_division="floatX"):
        assert run("x = i / 2", i=i)["x"].eval({i: 7}) == 3.5
    with theano.config.change_flags(int_division="raise"), pytest.raises(TypeError, match="forbidden"):
        run("x = i / 2", i=i)


def test_order_of_what_python_3_does_not_compare(run):
    found = run(
        """
        a, b = None, 3
        x = [a < b, b > a, a <= a, 'x' > 5, None >= 2, [1] < (1,), cmp(2, 1), cmp(None, 0)]
        y = sorted([3, None, 'a', 1])
        z = [3, 1, 2]; z.sort(lambda p, q: cmp(q, p))
        w = sorted(['b', 'a'], cmp=lambda p, q: cmp(p, q), reverse=True)
        u = [max(None, 3), min([2, None]), max('a', 1)]
        v = [2, 1]; v.sort(key=lambda p: -p)
        """
    )
    assert found["x"] == [True, True, True, True, False, True, 1, -1]
    assert (found["y"], found["z"], found["w"]) == ([None, 1, 3, "a"], [3, 2, 1], ["b", "a"])
    assert (found["u"], found["v"]) == ([3, None, "a"], [2, 1])


def test_order_that_nobody_knows_is_still_an_error(run):
    with pytest.raises(TypeError):
        run("x = 1j < 2j")


def test_sort_of_an_array_is_its_own(run):
    array = np.array([[3, 1], [0, 2]])
    run("a.sort(0)", a=array)
    assert array.tolist() == [[0, 1], [3, 2]]


def test_mappings_give_lists_and_their_old_iterators(run):
    found = run(
        """
        from collections import OrderedDict
        d = OrderedDict([('b', 1), ('a', 2)])
        keys = d.keys(); keys.sort()
        first = d.items()[0], d.values()[-1]
        each = [list(d.iteritems()), list(d.iterkeys()), list(d.itervalues()), sorted(d.viewkeys())]
        has = d.has_key('a'), d.has_key('c')
        class Own(object):
            def keys(self): return 'mine'
            def has_key(self, key): return 'own'
        own = Own().keys(), Own().has_key(1)
        """
    )
    assert found["keys"] == ["a", "b"] and found["first"] == (("b", 1), 2) and found["has"] == (True, False)
    assert found["each"] == [[("b", 1), ("a", 2)], ["b", "a"], [1, 2], ["a", "b"]]
    assert found["own"] == ("mine", "own")


def test_classes_have_their_special_methods_of_now(run):
    found = run(
        """
        class Count(object):
            def __init__(self): self.n = 0
            def __iter__(self): return self
            def next(self):
                self.n += 1
                if self.n > 3: raise StopIteration
                return self.n
        class Number:
            def __init__(self, n): self.n = n
            def __div__(self, other): return 'divided'
            def __nonzero__(self): return self.n > 0
            def __cmp__(self, other): return cmp(self.n, other.n)
        class Equal(object):
            def __eq__(self, other): return True
        class Meta(type):
            kind = 'made'
        class Made(object):
            __metaclass__ = Meta
        c = Count()
        x = c.next(), list(c), Number(1) / Number(2), bool(Number(0)), Number(1) < Number(2), Made.kind
        y = sorted([Number(2), Number(1)])[0].n, Number(1) == Number(1), len({Equal(), 1})
        """
    )
    assert found["x"] == (1, [2, 3], "divided", False, True, "made")
    assert found["y"] == (1, True, 2)


def test_an_error_keeps_its_name_and_message(run):
    found = run(
        """
        def f():
            pass
        try:
            raise ValueError('no')
        except ValueError, e:
            inside = e.message
        after = str(e)
        names = f.func_name, f.func_code is f.__code__, 'a'.join.__self__
        class Has(object):
            message = func_name = 'own'
            def m(self): pass
        has = Has().message, Has().func_name, Has().m.im_class is Has, Has().m.im_func is Has.__dict__['m']
        """
    )
    assert (found["inside"], found["after"], found["names"]) == ("no", "no", ("f", True, "a"))
    assert found["has"] == ("own", "own", True, True)
    with pytest.raises(AttributeError, match="message"):
        run("(3).message")


def test_strings_have_their_codecs(run):
    found = run(
        r"""
        # coding: utf-8
        a = 'é'.decode('utf-8'), u'é'.encode('utf-8'), 'ab'.encode('hex'), '6162'.decode('hex'), 'x'.decode()
        b = 'a\\n'.decode('string_escape'), 'é'.decode('latin-1'), u'é'.encode('ascii', 'ignore'), 'aé'.encode('utf8')
        c = 'hello'.translate(None, 'l'), 'abc'.translate(table), u'\xe9'.encode('latin-1').decode('latin-1')
        class Model(object):
            def encode(self, words, verbose=False): return words, verbose
        d = Model().encode(['a'], verbose=True)
        """,
        table=str.maketrans("a", "z"),
    )
    assert found["a"] == ("é", "é", "6162", "ab", "x")
    assert found["b"] == ("a\n", "Ã©", "", "aé")
    assert found["c"] == ("heo", "zbc", "é") and found["d"] == (["a"], True)
