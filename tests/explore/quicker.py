"""moto's DynamoDB, doing the same in less time: it parses the same few expressions anew, and walks and copies their
trees ten times for each UpdateItem, which is most of what a schedule costs.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from unittest import mock

from moto.dynamodb.parsing import ast_nodes, expressions, validators
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node

if TYPE_CHECKING:
    from collections.abc import Iterator

_make = expressions.UpdateExpressionParser.make.__func__


@lru_cache(maxsize=512)
def _parsed(text: str) -> Any:
    return _make(expressions.UpdateExpressionParser, text)


@cache
def _is_a(kind: type, *of: type) -> bool:
    """`isinstance` of moto's abstract classes is slow, and there are only a few dozen of them."""
    return issubclass(kind, of)


def _copied(node: Any, parent: Any = None) -> Any:
    """As `deepcopy` does it: a tree of nodes, whose leaves hold text."""
    if not _is_a(type(node), Node):
        return list(node) if isinstance(node, list) else node
    new = object.__new__(type(node))
    new.__dict__.update(node.__dict__)
    new.parent = parent
    if node.children is not None:
        new.children = [_copied(child, new) for child in node.children]
    return new


def _find_clauses(self: Any, clause_types: Any) -> list[Any]:
    clauses = []
    for child in self.children or []:
        if type(child) in clause_types:
            clauses.append(child)
        elif _is_a(type(child), ast_nodes.Expression, ast_nodes.UpdateExpressionFunction):
            clauses.extend(_find_clauses(child, clause_types))
    return clauses


def _traverse(self: Any, root: Any) -> Any:
    """`DepthFirstTraverser.traverse`, asking for the map of processors once and not at every node."""
    processors = self._processing_map()
    chosen: dict[type, Any] = {}
    hook = self.pre_processing_of_child
    hooked = type(self).pre_processing_of_child is not DepthFirstTraverser.pre_processing_of_child

    def walk(node: Any, child_id: int) -> None:
        nonlocal root
        parent = node.parent
        for i, child in enumerate(node.children or ()):
            if hooked:
                hook(node, i)
            if _is_a(type(child), Node):
                walk(child, i)
        kind = type(node)
        if kind not in chosen:
            chosen[kind] = next((process for of, process in processors.items() if _is_a(kind, of)), None)
        if chosen[kind] is not None:
            made = chosen[kind](node)
            made.parent = parent
            if parent:
                parent.children[child_id] = made
            if node is root:
                root = made

    walk(root, -1)
    return root


@contextmanager
def quicker() -> Iterator[None]:
    with (
        mock.patch.object(expressions.UpdateExpressionParser, "make", staticmethod(_parsed)),
        mock.patch.object(validators, "deepcopy", _copied),
        mock.patch.object(Node, "find_clauses", _find_clauses),
        mock.patch.object(DepthFirstTraverser, "traverse", _traverse),
    ):
        yield
