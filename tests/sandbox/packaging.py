"""Turns the SAM template in the repository into one that CloudFormation takes: local folders and files go to S3.

The same as `sam package`, without the network, for what this project uses: CodeUri (also under Globals), ContentUri,
DefinitionUri and the Location of AWS::Include. Archives are deterministic, and named by their content, so an unchanged
folder is an unchanged resource.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


IGNORED = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".venv", ".git"}
ARCHIVE_DATE = (1980, 1, 1, 0, 0, 0)  # the oldest that zip knows: dates must not change an archive


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, and without YAML 1.1's dates (`Version: 2012-10-17` is text)."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the base class declares it so
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _short_form(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    key = name if name in ("Ref", "Condition") else f"Fn::{name}"
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return {key: text.split(".", 1)} if name == "GetAtt" else {key: text}
    if isinstance(node, yaml.SequenceNode):
        return {key: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {key: loader.construct_mapping(node, deep=True)}
    raise TypeError(f"not a form that YAML has: {node}")


_Loader.add_multi_constructor("!", _short_form)


def read_template(path: Path) -> dict[str, Any]:
    """The template with every short form written out, as JSON-able data."""
    template: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    return template


def package(template: dict[str, Any], folder: Path, put: Callable[[str, bytes], str]) -> dict[str, Any]:
    """A copy of `template` in which every local path (relative to `folder`) is the address that `put` gave it.

    `put` takes a name and bytes and answers an s3:// address.
    """

    def folder_at(path: str, prefix: str = "") -> str:
        content = archive(folder / path, prefix)
        return put(f"{digest(content)}.zip", content)

    def file_at(path: str) -> str:
        content = (folder / path).read_bytes()
        return put(f"{digest(content)}{Path(path).suffix}", content)

    template = json.loads(json.dumps(template))
    for include in _includes(template):
        _rewrite(include["Parameters"], "Location", file_at)
    _rewrite(template.get("Globals", {}).get("Function", {}), "CodeUri", folder_at)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::Serverless::Function":
                _rewrite(properties, "CodeUri", folder_at)
            case "AWS::Serverless::LayerVersion":
                # Lambda puts a layer's python/ on the path; `sam build` would make that folder.
                _rewrite(properties, "ContentUri", lambda path: folder_at(path, "python/"))
            case "AWS::Serverless::StateMachine":
                _rewrite(properties, "DefinitionUri", file_at)
    return template


def _rewrite(properties: dict[str, Any], key: str, address: Callable[[str], str]) -> None:
    """Only a plain path is ours to pack; an s3:// address or {Bucket, Key} is there already."""
    value = properties.get(key)
    if isinstance(value, str) and not value.startswith("s3://"):
        properties[key] = address(value)


def _includes(node: Any) -> Iterator[dict[str, Any]]:
    """Every AWS::Include in a template, wherever it stands."""
    match node:
        case {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": _}}}:
            yield node["Fn::Transform"]
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _includes(value)


def archive(folder: Path, prefix: str = "") -> bytes:
    """The folder's files as a zip, equal bytes for equal files, without caches. `prefix` goes before every name."""
    if not folder.is_dir():
        raise FileNotFoundError(f"the template names a folder that is not there: {folder}")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if not path.is_file() or path.suffix == ".pyc" or IGNORED & set(inside.parts):
                continue
            entry = zipfile.ZipInfo(prefix + inside.as_posix(), ARCHIVE_DATE)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())
    return content.getvalue()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
