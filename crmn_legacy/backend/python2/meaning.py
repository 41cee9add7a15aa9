"""What Python 3 reads but takes otherwise than Python 2, rewritten in the syntax tree as calls of the runtime.

The calls are attributes of ``__python2__``, one of the builtins of converted code: the module
:mod:`~crmn_legacy.backend.python2.runtime`.
"""

import ast

RUNTIME = "__python2__"

# Methods without arguments, and with any, whose results or names have changed.
_METHODS = {"keys", "values", "items", "iterkeys", "itervalues", "iteritems", "viewkeys", "viewvalues", "viewitems"}
_METHODS |= {"next", "xreadlines"}
_CALLS = {"decode", "encode", "has_key", "sort", "translate"}
_ATTRIBUTES = {
    "func_name", "func_code", "func_defaults", "func_closure", "func_dict", "func_doc", "func_globals",
    "im_func", "im_self", "im_class", "message",
}  # fmt: skip
_ORDERINGS = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge"}


def is_only_python3(tree):
    """Whether the syntax tree of a program holds what no Python 2 knew."""
    future = {alias.name for node in tree.body if _is_future(node) for alias in node.names}
    return any(_knows_python3(node, future) for node in ast.walk(tree))


def _is_future(node):
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


_NEW = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await, ast.AnnAssign, ast.FormattedValue, ast.JoinedStr)
_NEW += (ast.MatMult, ast.Match, ast.NamedExpr, ast.Nonlocal, ast.TryStar, ast.YieldFrom)


def _knows_python3(node, future):
    if isinstance(node, _NEW):
        return True
    if isinstance(node, ast.Starred):
        return isinstance(node.ctx, ast.Store)
    if isinstance(node, ast.Raise):
        return node.cause is not None
    if isinstance(node, ast.arguments):
        every = (*node.posonlyargs, *node.args, node.vararg, node.kwarg)
        return bool(node.kwonlyargs or node.posonlyargs or any(part and part.annotation for part in every))
    if isinstance(node, ast.ClassDef):
        return bool(node.keywords)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "print":
            return bool(node.keywords) and "print_function" not in future
        return node.func.id == "super" and not node.args
    return False


def as_python2_meant(tree):
    """Rewrite the tree of a Python 2 program, its syntax converted, so that it does what it did; returns it."""
    future = {alias.name for node in tree.body if _is_future(node) for alias in node.names}
    tree = _Rewriter("division" in future).visit(tree)
    return ast.fix_missing_locations(tree)


class _Rewriter(ast.NodeTransformer):
    """Visits what is within a node before the node itself."""

    def __init__(self, true_division):
        self._true_division = true_division
        self._count = 0

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div) or self._true_division or _is_float(node.left) or _is_float(node.right):
            return node
        return _call("divide", node.left, node.right, at=node)

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div) or self._true_division or _is_float(node.value):
            return node
        if isinstance(node.target, ast.Name):
            value = _call("divide_in_place", ast.Name(node.target.id, ast.Load()), node.value, at=node)
            return ast.copy_location(ast.Assign([node.target], value), node)
        # What the target is part of is to be evaluated once.
        if isinstance(node.target, ast.Attribute):
            place, key, kind = node.target.value, ast.Constant(node.target.attr), "attribute"
        else:
            place, key, kind = node.target.value, _as_index(node.target.slice), "item"
        return ast.copy_location(ast.Expr(_call(f"divide_{kind}", place, key, node.value, at=node)), node)

    def visit_Compare(self, node):
        self.generic_visit(node)
        name = _ORDERINGS.get(type(node.ops[0]))
        sides = node.left, *node.comparators
        if len(sides) != 2 or name is None or all(_is_number(side) for side in sides):
            return node
        return _call(name, *sides, at=node)

    def visit_Call(self, node):
        self.generic_visit(node)
        if not isinstance(node.func, ast.Attribute):
            return node
        name = node.func.attr
        if name in _METHODS and not node.args and not node.keywords:
            return _call(name, node.func.value, at=node)
        if name in _CALLS:
            call = _call(name, node.func.value, *node.args, at=node)
            call.keywords = node.keywords
            return call
        return node

    def visit_Attribute(self, node):
        self.generic_visit(node)
        if node.attr not in _ATTRIBUTES or not isinstance(node.ctx, ast.Load):
            return node
        return _call("attribute", node.value, ast.Constant(node.attr), at=node)

    def visit_ExceptHandler(self, node):
        self.generic_visit(node)
        if node.name is None:
            return node
        # Python 3 takes the name away when the handler ends.
        self._count += 1
        hidden, name = f"_python2_error_{self._count}", node.name
        kept = ast.Assign([ast.Name(name, ast.Store())], ast.Name(hidden, ast.Load()))
        node.name = hidden
        node.body.insert(0, ast.copy_location(kept, node))
        return node

    def visit_ClassDef(self, node):
        self.generic_visit(node)
        for statement in list(node.body):
            if isinstance(statement, ast.Assign) and _names(statement.targets) == ["__metaclass__"]:
                node.keywords.append(ast.keyword("metaclass", statement.value))
                node.body[node.body.index(statement)] = ast.copy_location(ast.Pass(), statement)
        node.decorator_list.append(_runtime("adapted", node))
        return node


def _names(targets):
    return [getattr(target, "id", None) for target in targets]


def _is_number(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _is_float(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, float | complex)


def _as_index(node):
    """What stands between the brackets, as an expression."""
    if isinstance(node, ast.Slice):
        parts = [part if part is not None else ast.Constant(None) for part in (node.lower, node.upper, node.step)]
        return _call("slice", *parts, at=node)
    if isinstance(node, ast.Tuple):
        return ast.copy_location(ast.Tuple([_as_index(part) for part in node.elts], ast.Load()), node)
    return node


def _runtime(name, at):
    return ast.copy_location(ast.Attribute(ast.Name(RUNTIME, ast.Load()), name, ast.Load()), at)


def _call(name, *arguments, at):
    return ast.copy_location(ast.Call(_runtime(name, at), list(arguments), []), at)
