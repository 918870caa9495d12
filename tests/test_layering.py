"""Who may import whom: every file knows only what stands below it."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pgt"
FILES = sorted(PACKAGE.rglob("*.py"))
LEVELS = {
    "files": -1,
    **dict.fromkeys(["arguments", "config", "geometry", "losses", "metrics"], 0),
    **dict.fromkeys(["judges", "partial", "protocols", "published", "results"], 0),
    **dict.fromkeys(["data", "layers", "checkpoint", "studies"], 1),
    **dict.fromkeys(["models", "synthetic", "plot", "video_metrics"], 2),
    **dict.fromkeys(["training", "predictor", "photos", "truth"], 3),
    **dict.fromkeys(["applications", "evaluation", "__init__"], 4),
    **dict.fromkeys(["commands", "__main__"], 5),
}
FORBIDDEN = {("training", "synthetic")}  # a training takes any pairs
APPROACHES = ("pg2", "spt", "mrnet", "progressive")


def unit(path: Path) -> str:
    """Return the file or folder of the package that a path belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[str]:
    """List the modules of the package that a file imports, wherever in it; refuse forms that hide them."""
    modules = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}, line {node.lineno}: write `from pgt.x import y`"
            if (
                node.module == "pgt"
            ):  # `from pgt import metrics` names a module; `from pgt import load` hides one
                modules += [f"pgt.{alias.name}" for alias in node.names]
            elif (node.module or "").startswith("pgt."):
                modules.append(node.module)
        if isinstance(node, ast.Import):
            assert not any(alias.name.partition(".")[0] == "pgt" for alias in node.names), path
    return modules


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    name = unit(path)
    assert name in LEVELS, f"give {name} a level"
    for module in imports(path):
        imported = module.split(".")[1]
        assert imported in LEVELS, f"{path}: write `from pgt.x import {imported}`"
        assert imported == name or LEVELS[imported] < LEVELS[name], f"{path} imports {module}"
        assert (name, imported) not in FORBIDDEN, f"{path} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_approaches_do_not_import_each_other(path):
    if path.stem in APPROACHES:
        for module in imports(path):
            assert module.split(".")[-1] not in set(APPROACHES) - {path.stem}, f"{path} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_small(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 350
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            documented = ast.get_docstring(node) is not None and len(node.body) > 1
            length = node.end_lineno - (node.body[documented].lineno if documented else node.lineno) + 1
            assert length <= 60, f"{path.name}: {node.name} has {length} lines"
