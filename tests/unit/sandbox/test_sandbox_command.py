"""What `python -m tests.sandbox` understands, and the folder it keeps; the processes are in tests/e2e."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.sandbox import state
from tests.sandbox.__main__ import compare, main, parse_cuentas, parse_parameters
from tests.sandbox.state import Folder, Settings, State
from tests.sandbox.waiting import wait_until


def test_parameters_are_pairs_as_the_shell_would_quote_them():
    assert parse_parameters("") == {}
    assert parse_parameters("BatchSize=50 AlarmEmail='a b=c'") == {"BatchSize": "50", "AlarmEmail": "a b=c"}


@pytest.mark.parametrize("text", ["BatchSize", "=5", "BatchSize= 50"])
def test_what_is_no_pair_is_refused(text):
    with pytest.raises(ValueError, match="Name=value"):
        parse_parameters(text)


def test_cuentas_are_aliases():
    assert parse_cuentas("uno, dos-2") == ("uno", "dos-2")
    assert parse_cuentas("") == ()


@pytest.mark.parametrize("text", ["Uno", "uno,uno", "-uno", "u_no", "a" * 33, "año"])
def test_what_is_no_alias_is_refused(text):
    with pytest.raises(ValueError, match="no alias"):
        parse_cuentas(text)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--params", "Nothing=1"], "the template has no parameter Nothing; it has: AlarmEmail, AlarmPeriodSeconds"),
        (["--params", "ProviderBaseUrl=http://x"], "PROVIDER_URL, not in PARAMS"),
        (["--provider-url", "localhost:80"], "no http"),
        (["--port", "many"], "PORT is no port number: 'many'"),
        (["--port", "65536"], "PORT is no port number"),
        (["--cuentas", "Uno"], "no alias"),
    ],
)
def test_a_wrong_argument_is_told_and_nothing_is_started(arguments, told, tmp_path, capsys):
    assert main(["up", "--folder", str(tmp_path / "s"), *arguments], {}) == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_the_environment_is_where_make_puts_them(tmp_path, capsys):
    assert main(["up", "--folder", str(tmp_path / "s")], {"PARAMS": "Nothing=1"}) == 1
    assert "no parameter Nothing" in capsys.readouterr().err


def test_settings_that_differ_are_named_one_by_one():
    running = Settings("http://a", {"BatchSize": "50", "LotesInFlight": "2"}, 4566, ("uno",))
    asked = Settings("", {"BatchSize": "60"}, 4567, ("uno", "dos"))
    assert compare(running, running) == []
    assert compare(running, Settings("http://a", running.parameters, 0, ("uno",))) == []
    told = "\n".join(compare(running, asked))
    for word in ("PROVIDER_URL", "BatchSize: runs with 50, asked 60", "LotesInFlight: runs with 2, asked the default"):
        assert word in told
    assert "PORT: runs with 4566, asked 4567" in told
    assert "CUENTAS: runs with uno, asked uno,dos" in told


def test_state_and_settings_come_back_as_they_were(tmp_path):
    folder = Folder(tmp_path / "s")
    assert folder.read_state() is None
    folder.make()
    written = State("failed", Settings("http://a", {"BatchSize": "50"}, 1, ("uno",)), "because")
    folder.write_state(written)
    assert folder.read_state() == written


def test_what_holds_credentials_is_readable_by_its_owner_alone(tmp_path):
    folder = Folder(tmp_path / "s")
    folder.make()
    folder.write_outputs({"cuentas": {}})
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.outputs_path.stat().st_mode & 0o777 == 0o600


def test_a_lock_is_held_by_one_and_falls_with_its_holder(tmp_path):
    folder = Folder(tmp_path / "s")
    assert folder.holder() == 0
    text = (
        "import sys\nfrom pathlib import Path\nfrom tests.sandbox.state import Folder\n"
        "print(Folder(Path(sys.argv[1])).lock() is not None, flush=True)\nsys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", text, str(folder.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert other.stdout.readline() == "True\n"
        assert folder.holder() == other.pid
        assert folder.lock() is None
        assert folder.holder() == other.pid
    finally:
        other.kill()
        other.communicate()
    wait_until(lambda: folder.holder() == 0, 10, "the lock outlived its holder")
    lock = folder.lock()
    assert folder.holder() == os.getpid()
    os.close(lock)
    assert folder.holder() == 0


def test_a_lock_taken_while_the_folder_is_removed_is_taken_again_in_the_new_one(tmp_path, monkeypatch):
    folder, flock, removed = Folder(tmp_path / "s"), state._flock, []

    def remove_first(descriptor: int, kind: int) -> bool:
        if not removed:
            removed.append(descriptor)
            folder.remove()
        return flock(descriptor, kind)

    monkeypatch.setattr(state, "_flock", remove_first)
    lock = folder.lock(5)
    assert removed
    assert folder.holder() == os.getpid()
    os.close(lock)


def test_a_lock_in_a_folder_that_was_removed_meanwhile_is_none(tmp_path):
    folder = Folder(tmp_path / "s")
    old = folder.lock()
    folder.remove()
    assert folder.holder() == 0
    new = folder.lock()
    assert new is not None
    os.close(old)
    assert folder.holder() == os.getpid()
    os.close(new)
