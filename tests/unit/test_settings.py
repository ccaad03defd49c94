"""Settings come from flags, environment, file and defaults, in this order; bad ones are refused."""

import subprocess
import sys
from pathlib import Path

import pytest

from hanami_actors import __version__, settings
from hanami_actors.errors import SettingsError

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


def write_config(directory: Path, text: str) -> Path:
    path = directory / "hanami.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_anything_every_setting_has_its_default():
    loaded = settings.load([], {})
    assert loaded == settings.defaults()
    assert (loaded.host, loaded.port) == ("127.0.0.1", 11418)
    assert loaded.host_threads >= 1


def test_a_flag_wins_over_the_environment_which_wins_over_the_file(tmp_path):
    write_config(tmp_path, "port = 1\nslice_ms = 20\ntoken_expire_s = 60\n")
    environ = {
        "HANAMI_DATA_DIR": str(tmp_path),
        "HANAMI_PORT": "2",
        "HANAMI_SLICE_MS": "21",
    }
    loaded = settings.load(["--port", "3"], environ)
    assert (loaded.port, loaded.slice_ms, loaded.token_expire_s) == (3, 21, 60)


def test_an_empty_environment_variable_counts_as_not_set():
    assert settings.load([], {"HANAMI_PORT": ""}).port == 11418


def test_the_kernel_cache_belongs_to_the_user_and_the_version_unless_it_is_set(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    expected = Path("/caches/hanami_actors") / f"kernels-{__version__}"
    assert settings.load([], {}).kernel_cache_dir == expected
    environ = {"HANAMI_KERNEL_CACHE_DIR": "/elsewhere"}
    assert settings.load([], environ).kernel_cache_dir == Path("/elsewhere")


def test_the_named_file_is_read_instead_of_the_one_in_the_data_directory(tmp_path):
    write_config(tmp_path, "port = 1\n")
    other = tmp_path / "other.toml"
    other.write_text('port = 2\ndata_dir = "beside"\n', encoding="utf-8")
    for loaded in (
        settings.load(["--config", str(other)], {"HANAMI_HOST": "::1"}),
        settings.load([], {"HANAMI_CONFIG": str(other), "HANAMI_HOST": "::1"}),
    ):
        assert (loaded.port, loaded.host) == (2, "::1")
        assert loaded.data_dir == tmp_path / "beside"


def test_a_relative_path_in_a_file_is_meant_from_where_the_file_is(tmp_path):
    write_config(tmp_path, 'policy_file = "policies.txt"\n')
    loaded = settings.load(["--data-dir", str(tmp_path)], {})
    assert loaded.policy_file == tmp_path / "policies.txt"


def test_a_yes_or_no_setting_is_read_from_every_source(tmp_path):
    assert settings.load(["--no-access-log"], {"HANAMI_ACCESS_LOG": "yes"}).access_log is False
    assert settings.load([], {"HANAMI_ACCESS_LOG": "False"}).access_log is False
    write_config(tmp_path, "access_log = false\n")
    assert settings.load(["--data-dir", str(tmp_path)], {}).access_log is False


@pytest.mark.parametrize(
    ("argv", "environ", "parts"),
    [
        (["--port", "abc"], {}, ["flag --port", "'abc'", "whole number, 0 to 65_535"]),
        (["--port", "65536"], {}, ["flag --port", "'65536'"]),
        (["--port", ""], {}, ["flag --port", "''"]),
        ([], {"HANAMI_PORT": "-1"}, ["environment variable HANAMI_PORT", "'-1'"]),
        ([], {"HANAMI_SLICE_MS": "1.5"}, ["HANAMI_SLICE_MS", "whole number (ms), 1 to 1_000"]),
        ([], {"HANAMI_SNAPSHOT_INTERVAL_S": "nan"}, ["snapshot_interval_s", "0.1 to 86_400"]),
        ([], {"HANAMI_LOG_LEVEL": "loud"}, ["'loud'", "one of debug, info, warning, error"]),
        ([], {"HANAMI_ACCESS_LOG": "perhaps"}, ["access_log", "yes/no"]),
    ],
)
def test_a_refused_value_is_named_with_its_source_and_the_rule(argv, environ, parts):
    with pytest.raises(SettingsError) as caught:
        settings.load(argv, environ)
    for part in parts:
        assert part in caught.value.message


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("prot = 1\n", ["unknown setting 'prot'", "did you mean port?", "token_expire_s"]),
        ("[http]\nport = 1\n", ["unknown setting 'http'"]),
        ("port = true\n", ["port is True"]),
        ("port = 1.5\n", ["port is 1.5"]),
        ("port = [1]\n", ["port is [1]"]),
        ("host = 1\n", ["host is 1", "text"]),
        ("access_log = 1\n", ["access_log is 1", "yes/no"]),
        ("port = \n", ["not valid TOML"]),
        ('data_dir = "x"\n', ["data_dir cannot be set here"]),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_the_reason(tmp_path, text, parts):
    path = write_config(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        settings.load(["--data-dir", str(tmp_path)], {})
    for part in [str(path), *parts]:
        assert part in caught.value.message


def test_a_named_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        settings.load(["--config", str(tmp_path / "none.toml")], {})


def test_an_unknown_flag_and_a_shortened_one_are_refused(capsys):
    for flag in ("--prot", "--slice"):
        with pytest.raises(SystemExit) as caught:
            settings.load([flag, "1"], {})
        assert caught.value.code == 2
        assert f"unrecognized arguments: {flag}" in capsys.readouterr().err


def test_help_shows_every_flag_variable_and_default(capsys):
    with pytest.raises(SystemExit) as caught:
        settings.load(["--help"], {})
    assert caught.value.code == 0
    words = "".join(capsys.readouterr().out.split())
    for setting in settings.SETTINGS:
        assert setting.flag in words
        assert setting.variable in words
        assert setting.default_text.replace(" ", "") in words


def test_version_is_printed(capsys):
    with pytest.raises(SystemExit):
        settings.load(["--version"], {})
    assert capsys.readouterr().out.startswith("hanami-server ")


def test_every_setting_keeps_to_the_rules_of_the_table():
    for setting in settings.SETTINGS:
        assert setting.rule.meaning.endswith("."), setting.name
        assert (setting.rule.minimum is None) == (setting.rule.maximum is None), setting.name
        units = {"s": "_s", "ms": "_ms", "bytes": "_bytes"}
        if setting.rule.unit in units:
            assert setting.name.endswith(units[setting.rule.unit]), setting.name


def test_every_default_is_within_its_own_limits():
    chosen = settings.defaults()
    for setting in settings.SETTINGS:
        value = getattr(chosen, setting.name)
        if value is not None and not isinstance(value, Path):
            assert setting.check(value, "default") == value


def test_secret_values_are_not_shown():
    shown = settings.defaults(port=7).shown()
    assert shown["port"] == "7"
    rule = settings.Rule(meaning="A key.", default="", secret=True, choices=("open sesame",))
    with pytest.raises(SettingsError) as caught:
        settings.Setting(name="key", kind=str, rule=rule).check("hunter2", "flag --key")
    assert "hunter2" not in caught.value.message


def test_the_documentation_is_generated_from_the_table():
    assert settings.render_markdown() == DOCUMENT.read_text(encoding="utf-8")


def test_defaults_take_no_name_that_is_no_setting():
    with pytest.raises(TypeError, match="prot"):
        settings.defaults(prot=1)


def test_reading_settings_loads_no_numba_and_no_numpy():
    code = (
        "import sys; from hanami_actors import settings; settings.load([], {});"
        "print(sorted({'numba', 'numpy', 'pykka', 'tornado'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_help_of_the_server_loads_neither_kernels_nor_transport_nor_actors():
    code = (
        "import contextlib, io, sys; from hanami_actors.main import main; sys.argv[1:] = ['--help']\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()) as out:\n"
        "    main()\n"
        "assert '--token-expire-s' in out.getvalue()\n"
        "print(sorted({'lmdb', 'numba', 'numpy', 'pykka', 'tornado'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
