"""Looks into what `sam build` made: `python -m tests.package .aws-sam/build` prints its sizes, or what is wrong.

The emulator and the tests run the source with this machine's packages, so nothing else would notice a library for
another processor, a requirement that is missing on Lambda, or a test that is deployed.
"""

from __future__ import annotations

import ast
import re
import stat
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.sandbox.packaging import archive, read_template

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = Path(__file__).resolve().parents[1] / "shared"
LIMIT = 6_000_000
"""Bytes of the layer and the functions, zipped."""
RUNTIME_HAS = {"boto3", "botocore", "s3transfer"}
READABLE = stat.S_IROTH
ELF, ELF_MACHINE, AARCH64 = b"\x7fELF", slice(18, 20), 183


def layers(template: dict[str, Any], build: Path) -> list[Path]:
    found = [r for r in template["Resources"].values() if r["Type"] == "AWS::Serverless::LayerVersion"]
    return [build / layer["Properties"]["ContentUri"] for layer in found]


def functions(template: dict[str, Any], build: Path) -> dict[Path, list[str]]:
    """Folder → the handlers that are in it: functions of the same code share a folder."""
    found: dict[Path, list[str]] = {}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            code = resource["Properties"]
            found.setdefault(build / code["CodeUri"], []).append(code["Handler"])
    return found


def files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def locked(requirements: Path) -> set[tuple[str, str]]:
    found = re.findall(r"^([\w.-]+)==([\w.]+)", requirements.read_text(encoding="utf-8"), re.MULTILINE)
    return {(_normal(name), version) for name, version in found}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def faults(build: Path, shared: Path = SHARED) -> list[str]:
    """What is wrong, a sentence each; nothing is what may be deployed."""
    template = read_template(build / "template.yaml")
    code = functions(template, build)
    runtime = template["Globals"]["Function"]["Runtime"]
    found = [fault for layer in layers(template, build) for fault in layer_faults(layer, runtime, shared)]
    paths = [*(layer / "python" for layer in layers(template, build)), *code]
    for folder, handlers in code.items():
        found += [f"no handler {handler}" for handler in handlers if not _has(folder, handler)]
        found += import_faults([*files(folder)], paths)
        found += test_faults(folder)
    found += [
        f"not readable by everybody, so not by Lambda: {path.relative_to(build)}"
        for path in files(build)
        if not path.stat().st_mode & READABLE
    ]
    if (total := sum(sizes(build).values())) >= LIMIT:
        found.append(f"{total:,} bytes zipped: the limit is {LIMIT:,}")
    return found


def layer_faults(layer: Path, runtime: str, shared: Path) -> Iterator[str]:
    """Only `python/`, in it our packages and exactly the locked ones, for arm64 and this runtime, without boto3."""
    if (roots := sorted(path.name for path in layer.iterdir())) != ["python"]:
        yield f"a layer has python/ at its root, and nothing else: {roots}"
    root = layer / "python"
    installed = {(_normal(found.name), found.version) for found in distributions(path=[str(root)])}
    if installed != (expected := locked(shared / "requirements.txt")):
        yield f"not what is locked: {sorted(installed ^ expected)}"
    yield from (f"the runtime has {name}" for name in sorted(RUNTIME_HAS) if (root / name).exists())
    ours = [path.name for path in shared.iterdir() if (path / "__init__.py").exists()]
    yield from (f"{name} is missing" for name in ours if not (root / name / "__init__.py").exists())
    for name in ours:
        yield from import_faults([*files(root / name)], [root])
        yield from test_faults(root / name)
    tag = f".cpython-{runtime.removeprefix('python').replace('.', '')}-aarch64-linux-gnu.so"
    for library in files(layer):
        start = library.read_bytes()[:20]
        if start.startswith(ELF) or library.suffix == ".so":
            if int.from_bytes(start[ELF_MACHINE], "little") != AARCH64:
                yield f"not for arm64: {library.relative_to(layer)}"
            elif not library.name.endswith((tag, ".abi3.so")):
                yield f"not for {runtime}: {library.relative_to(layer)}"


def test_faults(folder: Path) -> Iterator[str]:
    for path in files(folder):
        inside = path.relative_to(folder.parent)
        if {"tests", "__pycache__"} & set(inside.parts) or re.match(r"(test_.*|conftest)\.py$", path.name):
            yield f"has no business on Lambda: {inside}"


def import_faults(sources: list[Path], paths: list[Path]) -> Iterator[str]:
    """Imports (those only for the type checker apart) that find nothing on Lambda."""
    for source in sources:
        if source.suffix != ".py":
            continue
        for name in sorted(set(imported(ast.parse(source.read_bytes())))):
            known = name in sys.stdlib_module_names or name in RUNTIME_HAS
            if not known and not any((path / name).is_dir() or (path / f"{name}.py").exists() for path in paths):
                yield f"{source.parent.name}/{source.name} imports {name}, which is not there"


def imported(node: ast.AST) -> Iterator[str]:
    """First names of the modules that are imported when it runs."""
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            children: list[ast.stmt] | Iterator[ast.AST] = node.orelse
        case ast.Import(names=names):
            yield from (alias.name.partition(".")[0] for alias in names)
            return
        case ast.ImportFrom(module=str(module), level=0):
            yield module.partition(".")[0]
            return
        case _:
            children = ast.iter_child_nodes(node)
    for child in children:
        yield from imported(child)


def _has(folder: Path, handler: str) -> bool:
    module, _, function = handler.rpartition(".")
    source = folder / f"{module.replace('.', '/')}.py"
    found = ast.parse(source.read_bytes()).body if source.exists() else []
    return any(isinstance(node, ast.FunctionDef) and node.name == function for node in found)


def sizes(build: Path) -> dict[str, int]:
    """Names of the folders that have the same content → its bytes, zipped: it is uploaded once."""
    template = read_template(build / "template.yaml")
    packed: dict[bytes, list[str]] = {}
    for folder in (*layers(template, build), *functions(template, build)):
        packed.setdefault(archive(folder), []).append(folder.name)
    return {", ".join(names): len(content) for content, names in packed.items()}


def main(build: Path) -> str | None:
    """What is wrong, None if nothing is."""
    if found := faults(build):
        return "\n".join(found)
    for names, size in sizes(build).items():
        print(f"{size:>10,} bytes zipped: {names}")
    print(f"{sum(sizes(build).values()):>10,} together, of {LIMIT:,}")
    return None


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
