"""Public functions say the shape of every array and tensor they take."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ARRAY = re.compile(r"\b(Tensor|ndarray)\b")
HOLDERS = re.compile(r"(Callable|type)\[")
SHAPE = re.compile(r"#.*\[[^\]]*\]")


def public(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    """Functions and methods without an underscore, `__call__` included; none inside functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public(node)
        elif isinstance(node, ast.FunctionDef) and (node.name[0] != "_" or node.name == "__call__"):
            yield node


def without_shape(module: Path) -> Iterator[str]:
    text = module.read_text(encoding="utf-8")
    lines = text.splitlines()
    for function in public(ast.parse(text)):
        arguments = function.args
        for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            kind = ast.unparse(one.annotation) if one.annotation else ""
            if not ARRAY.search(kind) or HOLDERS.match(kind):
                continue
            if not SHAPE.search(lines[one.lineno - 1]):
                name = f"{function.name}({one.arg})"
                yield f"{module.relative_to(ROOT)}:{one.lineno} {name}"


def test_arrays_and_tensors_carry_their_shape() -> None:
    missing = [place for m in sorted((ROOT / "svad").rglob("*.py")) for place in without_shape(m)]
    assert not missing, "\n".join([f"{len(missing)} without a shape", *missing])
