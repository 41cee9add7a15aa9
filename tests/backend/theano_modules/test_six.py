import io
import pickle

import pytest
import theano
from theano.compat import six
from theano.compat.six.moves import cPickle, cStringIO, reduce, xrange
from theano.compat.six.moves import zip as zipped


def test_what_was_two_dialects_is_one():
    assert six.PY3 and not six.PY2 and isinstance("", six.string_types) and isinstance(1, six.integer_types)
    assert list(six.iteritems({"a": 1})) == [("a", 1)] and list(six.iterkeys({"a": 1})) == ["a"]
    assert list(six.itervalues({"a": 1})) == [1] and six.next(iter("a")) == "a"
    assert six.b("\xe9") == b"\xe9" and six.u("a") == "a" and six.int2byte(7) == b"\x07"
    assert six.get_unbound_function(len) is len
    assert (cPickle, cStringIO, zipped) == (pickle, io.StringIO, zip)
    assert list(xrange(2)) == [0, 1] and reduce(lambda a, b: a + b, [1, 2]) == 3
    assert theano.compat.izip is zip


def test_errors_are_raised_again():
    with pytest.raises(ValueError, match="x") as caught:
        six.reraise(ValueError, ValueError("x"), None)
    with pytest.raises(KeyError) as chained:
        six.raise_from(KeyError("y"), caught.value)
    assert chained.value.__cause__ is caught.value


def test_classes_are_made_by_a_metaclass():
    class Meta(type):
        kind = "made"

    class A(six.with_metaclass(Meta, list)):
        pass

    @six.add_metaclass(Meta)
    class B:
        def two(self):
            return 2

    assert A.kind == B.kind == "made" and A.__mro__[1] is list and B().two() == 2
