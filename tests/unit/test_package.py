"""What `make package` refuses to deploy, each broken by itself; and what the layer is built from."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.package import faults, main
from tests.template import template

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = """
Globals: {Function: {Runtime: python3.13}}
Resources:
  Shared: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: Shared}}
  Pack: {Type: AWS::Serverless::Function, Properties: {CodeUri: Pack, Handler: pack.app.handler}}
"""
APP = """
from typing import TYPE_CHECKING
import boto3, json
import native.core
from ours.deep import thing
if TYPE_CHECKING:
    import mypy_boto3_sqs
def handler(event, context): ...
"""
NATIVE = "native/core.cpython-313-aarch64-linux-gnu.so"
X86, AARCH64 = 62, 183


def put(path: Path, content: str | bytes = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def elf(machine: int) -> bytes:
    return b"\x7fELF\x02\x01\x01".ljust(18, b"\0") + machine.to_bytes(2, "little") + bytes(40)


@pytest.fixture
def shared(tmp_path):
    put(tmp_path / "shared/ours/__init__.py")
    put(tmp_path / "shared/requirements.txt", "native==1.0 \\\n    --hash=sha256:00\n")
    return tmp_path / "shared"


@pytest.fixture
def build(tmp_path):
    """As `sam build` leaves it, in small."""
    folder = tmp_path / "build"
    layer = folder / "Shared/python"
    put(folder / "template.yaml", TEMPLATE)
    put(folder / "Pack/pack/app.py", APP)
    put(layer / "ours/__init__.py", "import native")
    put(layer / "native/__init__.py")
    put(layer / "native-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: native\nVersion: 1.0\n")
    put(layer / NATIVE, elf(AARCH64))
    return folder


def test_what_is_complete_and_for_lambda_may_be_deployed(build, shared, capsys):
    assert faults(build, shared) == []


BROKEN = {
    "a library for another processor": (
        lambda b: put(b / "Shared/python" / NATIVE, elf(X86)),
        "not for arm64: python/native/core.cpython-313-aarch64-linux-gnu.so",
    ),
    "a library without a name that tells it": (
        lambda b: put(b / "Shared/python/native/libz.so.1", elf(X86)),
        "not for arm64: python/native/libz.so.1",
    ),
    "a library for another Python": (
        lambda b: put(b / "Shared/python/native/core.cpython-311-aarch64-linux-gnu.so", elf(AARCH64)),
        "not for python3.13: python/native/core.cpython-311-aarch64-linux-gnu.so",
    ),
    "something beside python/": (lambda b: put(b / "Shared/lib/x.py"), "python/ at its root, and nothing else"),
    "packages at the root": (lambda b: (b / "Shared/python").rename(b / "Shared/native"), "python/ at its root"),
    "boto3": (lambda b: put(b / "Shared/python/boto3/__init__.py"), "the runtime has boto3"),
    "a package that is not locked": (
        lambda b: put(b / "Shared/python/ministack-1.0.dist-info/METADATA", "Name: ministack\nVersion: 1.0\n"),
        "not what is locked: [('ministack', '1.0')]",
    ),
    "another version": (
        lambda b: put(b / "Shared/python/native-1.0.dist-info/METADATA", "Name: native\nVersion: 1.1\n"),
        "not what is locked: [('native', '1.0'), ('native', '1.1')]",
    ),
    "a package too few": (
        lambda b: shutil.rmtree(b / "Shared/python/native-1.0.dist-info"),
        "not what is locked: [('native', '1.0')]",
    ),
    "our code left out": (lambda b: shutil.rmtree(b / "Shared/python/ours"), "ours is missing"),
    "a test in the function": (
        lambda b: put(b / "Pack/pack/test_app.py"),
        "has no business on Lambda: Pack/pack/test_app.py",
    ),
    "tests beside our code": (
        lambda b: put(b / "Shared/python/ours/tests/driving.py"),
        "has no business on Lambda: ours/tests/driving.py",
    ),
    "a compiled leftover": (
        lambda b: put(b / "Pack/pack/__pycache__/app.cpython-311.pyc"),
        "has no business on Lambda",
    ),
    "the emulator": (
        lambda b: put(b / "Pack/pack/local.py", "def start():\n    import ministack"),
        "pack/local.py imports ministack, which is not there",
    ),
    "a requirement that only we have": (
        lambda b: put(b / "Shared/python/ours/more.py", "from yaml import safe_load"),
        "ours/more.py imports yaml, which is not there",
    ),
    "a handler that is elsewhere": (
        lambda b: put(b / "Pack/pack/app.py", "def handle(event, context): ..."),
        "no handler pack.app.handler",
    ),
    "a file that Lambda may not read": (
        lambda b: (b / "Pack/pack/app.py").chmod(0o600),
        "not readable by everybody, so not by Lambda: Pack/pack/app.py",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_it_is_not_deployed_with(what, build, shared):
    break_it, said = BROKEN[what]
    break_it(build)
    assert said in "\n".join(faults(build, shared))
    assert main(build)


def test_it_is_not_deployed_when_it_is_too_large(build, shared, monkeypatch):
    monkeypatch.setattr("tests.package.LIMIT", 100)
    assert "bytes zipped: the limit is 100" in "\n".join(faults(build, shared))


def test_the_layer_is_made_for_the_runtime_and_the_processor_of_the_functions():
    of_all = template()["Globals"]["Function"]
    made = (ROOT / "shared/Makefile").read_text(encoding="utf-8")
    assert f"--python-version {of_all['Runtime'].removeprefix('python')} " in made
    assert of_all["Architectures"] == ["arm64"] and "--python-platform aarch64-manylinux2014" in made
    assert template()["Resources"]["SharedLayer"]["Metadata"] == {
        "BuildMethod": "makefile",
        "BuildArchitecture": "arm64",
    }


def test_the_layer_is_installed_from_hashes_and_the_functions_from_nothing():
    assert "--require-hashes --only-binary :all:" in (ROOT / "shared/Makefile").read_text(encoding="utf-8")
    lock = (ROOT / "shared/requirements.txt").read_text(encoding="utf-8")
    assert len(re.findall(r"^\S+==", lock, re.MULTILINE)) == len(
        re.findall(r"^\S+== ?\S+ \\\n +--hash", lock, re.MULTILINE)
    )
    assert not list((ROOT / "functions").rglob("requirements.txt"))


@pytest.mark.parametrize(
    "params", ["QueueFce=true TotalTolerance=0.02", "ErrorCatalogue='[{\"a\": 1}]'", "file://p.yaml"]
)
def test_parameters_of_a_deployment_reach_sam_as_they_were_written(params):
    """A shell in between would leave `[{` of a JSON value, and SAM would deploy that."""
    make = ["make", "-s", "-o", "package", "deploy", "SAM=printf '%s\\n'", f"PARAMS={params}"]
    told = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    assert told.splitlines() == ["deploy", "--config-env", "dev", "--parameter-overrides", params]
