from crmn_legacy.backend.python2 import runtime


def test_any_bytes_come_back_from_text():
    every = bytes(range(256))
    assert runtime.as_bytes(runtime.as_text(every)) == every
    assert runtime.as_text("é".encode()) == "é" and runtime.as_bytes("é") == "é".encode()
    assert runtime.as_text(3) == runtime.as_bytes(3) == 3


def test_joined_parts_of_a_character_are_that_character_again():
    first, second = "é".encode()[:1], "é".encode()[1:]
    assert runtime.as_bytes(runtime.as_text(first) + runtime.as_text(second)) == "é".encode()
