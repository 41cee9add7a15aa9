"""What is broken in the rewrites of Aesara 2.9.4; see `crmn_legacy.backend.aesara_patches`, which applies it."""


def mend_power_rewrites(module):
    """Let powers be rewritten whose argument's shape became known after they were built.

    ``x ** 2`` becomes ``square(x)``, and Aesara 2.9.4 asserts that both have one type. Where a rewrite has put a
    variable of known shape in the place of x (of a matrix that a loop carries, say), the square's type is the narrower
    one, which may stand for the other. The power is built anew, of the inputs that it has by then.
    """
    from crmn_legacy.backend import aesara_patches

    aesara_patches._require_version()
    for rewriter in (module.local_pow_specialize, module.local_pow_specialize_device):
        rewriter.fn = _with_present_types(rewriter.fn)


def _with_present_types(rewrite):
    def with_present_types(fgraph, node):
        return rewrite(fgraph, node.op.make_node(*node.inputs))

    with_present_types.__wrapped__ = rewrite
    return with_present_types
