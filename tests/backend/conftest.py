import aesara
import pytest


@pytest.fixture
def evaluate():
    """The value of a graph, or of several, in Python."""

    def evaluate(output, inputs=None):
        inputs = inputs or {}
        with aesara.config.change_flags(cxx=""):
            # Convolutions have Python code until they are rewritten to what has C code alone.
            mode = aesara.compile.mode.Mode(linker="py", optimizer="fast_compile")
            mode = mode.excluding("conv_opts", "AbstractConvCheck")
            return aesara.function(list(inputs), output, mode=mode)(*inputs.values())

    return evaluate
