from __future__ import annotations

import io
import os
import zipfile

import pytest
from tests.sandbox.deploy import ROOT, UnknownParameterError, check_parameters, known_parameters, snake_case
from tests.sandbox.packaging import archive, package, read_template


@pytest.fixture
def code(tmp_path):
    folder = tmp_path / "code"
    (folder / "one" / "__pycache__").mkdir(parents=True)
    (folder / "one" / "app.py").write_text("x = 1\n")
    (folder / "one" / "__pycache__" / "app.cpython-311.pyc").write_bytes(b"old")
    (folder / "one" / "stray.pyc").write_bytes(b"old")
    (folder / "a.txt").write_text("a")
    return folder


def names(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return packed.namelist()


def test_an_archive_has_the_sources_and_no_caches(code):
    assert names(archive(code)) == ["a.txt", "one/app.py"]


def test_equal_files_make_equal_archives_whatever_their_dates_and_modes(code):
    before = archive(code)
    os.utime(code / "a.txt", (1, 1))
    (code / "a.txt").chmod(0o755)
    (code / "one" / "__pycache__" / "more.pyc").write_bytes(b"new")
    assert archive(code) == before
    (code / "a.txt").write_text("b")
    assert archive(code) != before


def test_an_archived_file_is_readable_by_others(code):
    with zipfile.ZipFile(io.BytesIO(archive(code))) as packed:
        assert {entry.external_attr >> 16 for entry in packed.infolist()} == {0o644}


def test_a_folder_that_is_not_there_is_told_by_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        archive(tmp_path / "nowhere")


def test_short_forms_and_dates_are_read_as_cloudformation_reads_them(tmp_path):
    path = tmp_path / "template.yaml"
    path.write_text(
        "AWSTemplateFormatVersion: 2010-09-09\n"
        "A: !Ref B\n"
        "C: !GetAtt D.Outputs.E\n"
        "F: !Sub ['${G}', {G: !Ref H}]\n"
        "I: !If [Cond, !Ref J, !Ref 'AWS::NoValue']\n"
        "K: !Condition L\n"
        "M: !Equals [!Ref N, '']\n"
    )
    assert read_template(path) == {
        "AWSTemplateFormatVersion": "2010-09-09",
        "A": {"Ref": "B"},
        "C": {"Fn::GetAtt": ["D", "Outputs.E"]},
        "F": {"Fn::Sub": ["${G}", {"G": {"Ref": "H"}}]},
        "I": {"Fn::If": ["Cond", {"Ref": "J"}, {"Ref": "AWS::NoValue"}]},
        "K": {"Condition": "L"},
        "M": {"Fn::Equals": [{"Ref": "N"}, ""]},
    }


def test_every_local_path_is_uploaded_and_nothing_else_changes(tmp_path, code):
    (tmp_path / "flow.asl.json").write_text('{"StartAt": "A"}')
    (tmp_path / "part.yaml").write_text("Threshold: 1\n")
    template = {
        "Globals": {"Function": {"CodeUri": "code/"}},
        "Resources": {
            "F": {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "one.app.f"}},
            "G": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "s3://there/already.zip"}},
            "L": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "code/"}},
            "M": {"Type": "AWS::Serverless::StateMachine", "Properties": {"DefinitionUri": "flow.asl.json"}},
            "Q": {"Type": "AWS::SQS::Queue"},
            "A": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "part.yaml"}}},
            },
        },
    }
    original = repr(template)
    uploaded: dict[str, bytes] = {}

    def put(name: str, content: bytes) -> str:
        uploaded[name] = content
        return f"s3://bucket/{name}"

    packed = package(template, tmp_path, put)

    def content_of(address: str) -> bytes:
        return uploaded[address.removeprefix("s3://bucket/")]

    resources = packed["Resources"]
    assert names(content_of(packed["Globals"]["Function"]["CodeUri"])) == ["a.txt", "one/app.py"]
    assert names(content_of(resources["L"]["Properties"]["ContentUri"])) == ["python/a.txt", "python/one/app.py"]
    assert content_of(resources["M"]["Properties"]["DefinitionUri"]) == b'{"StartAt": "A"}'
    include = resources["A"]["Properties"]["Fn::Transform"]
    assert content_of(include["Parameters"]["Location"]) == b"Threshold: 1\n"
    assert include["Parameters"]["Location"].endswith(".yaml")
    assert resources["G"] == template["Resources"]["G"]
    assert resources["Q"] == template["Resources"]["Q"]
    assert len(uploaded) == 4
    assert repr(template) == original


@pytest.mark.parametrize(
    ("logical_id", "name"),
    [("PackLotes", "pack_lotes"), ("ReceiveWebhookFunction", "receive_webhook"), ("Operate", "operate")],
)
def test_functions_are_named_in_snake_case(logical_id, name):
    assert snake_case(logical_id) == name


def test_an_unknown_parameter_is_refused_with_the_names_that_there_are():
    check_parameters({"BatchSize": "50"})
    with pytest.raises(UnknownParameterError) as refused:
        check_parameters({"BatchSize": "50", "Batchsize": "50"})
    assert "no parameter Batchsize;" in str(refused.value)
    assert "LoteWindowSeconds" in str(refused.value)


def test_the_projects_template_can_be_read_and_packed():
    template = read_template(ROOT / "template.yaml")
    uploaded: list[str] = []
    packed = package(template, ROOT, lambda name, _: uploaded.append(name) or f"s3://bucket/{name}")
    assert uploaded
    assert packed["Globals"]["Function"]["CodeUri"].startswith("s3://bucket/")
    assert known_parameters()["BatchSize"] == "1000"
