"""Formulas of the manual as MathML, which browsers show by themselves: no script, and nothing fetched.

docutils can turn LaTeX into MathML, and does so for pages of its own; Sphinx has no renderer that uses it.
"""

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.errors import SphinxError


def _written(writer, node, as_block):
    try:
        formula = tex2mathml(node.astext(), as_block=as_block)
    except MathError as error:
        formula = f"{node.source}: got the formula {node.astext()!r}"
        raise SphinxError(f"{formula}, expected one that docutils can turn into MathML ({error})") from None
    writer.body.append(f'<div class="math">{formula}</div>' if as_block else formula)
    raise nodes.SkipNode


def setup(app):
    """Tell Sphinx of the renderer; conf.py chooses it."""
    app.add_html_math_renderer(
        "mathml",
        (lambda writer, node: _written(writer, node, False), None),
        (lambda writer, node: _written(writer, node, True), None),
    )
    return {"parallel_read_safe": True}
