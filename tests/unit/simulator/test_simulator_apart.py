"""The simulator models the provider, not our idea of it: it shares no code with what it is to judge."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SIMULATOR = ROOT / "tests" / "sandbox" / "simulator"
OURS = {path.name for floor in ("shared", "functions") for path in (ROOT / floor).iterdir() if path.is_dir()} - {
    "__pycache__"
}


def imported(source: str) -> set[str]:
    """Dotted names of everything imported anywhere in a file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "absolute imports only, so that this test sees them"
            found.add(node.module or "")
    return found


def test_it_imports_nothing_of_the_project() -> None:
    """Neither shared/ nor functions/, and of tests/ only itself."""
    assert {"tusfacturas", "facturacion", "pack_lotes"} <= OURS
    files = sorted(SIMULATOR.glob("*.py"))
    assert len(files) > 10
    for path in files:
        for name in imported(path.read_text(encoding="utf-8")):
            top = name.partition(".")[0]
            assert top not in OURS | {"shared", "functions"}, f"{path.name} imports {name}"
            assert top != "tests" or name.startswith("tests.sandbox.simulator"), f"{path.name} imports {name}"


def test_it_runs_where_the_project_is_not_importable() -> None:
    """In a process without shared/ and functions/ on its path, every module of it loads."""
    names = [f"tests.sandbox.simulator.{path.stem}" for path in SIMULATOR.glob("*.py") if path.stem != "__main__"]
    code = (
        f"import importlib, sys\n"
        f"sys.path[:] = [p for p in sys.path if not p.endswith(('/shared', '/functions'))]\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"ours = {sorted(OURS)!r}\n"
        f"sys.exit(any(name.partition('.')[0] in ours for name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60)
    assert done.returncode == 0
