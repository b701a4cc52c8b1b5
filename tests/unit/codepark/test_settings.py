"""Settings of both profiles: defaults, what comes first, and which sentence refuses a value."""

import base64

import pytest

from codepark.settings import RedisUrls, Settings, read_settings
from commands.environment import SettingsError
from commands.kms import new_master_key, write_master_keys
from read_api.gateway.settings import GatewaySettings

KEY = base64.b64encode(bytes(range(32))).decode()


def test_without_variables_everything_is_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = read_settings({})
    assert (settings.data, settings.host, settings.port) == (tmp_path / "codepark-data", "127.0.0.1", 3000)
    assert (settings.log_level, settings.url) == ("info", "http://127.0.0.1:3000")
    assert (settings.secret, settings.kafka, settings.redis, settings.redis_url) == (None,) * 4
    assert (settings.public_url, settings.smtp_url, settings.master_keys) == (None, None, {})
    assert settings.mail_from == "CodePark <no-reply@localhost>"


def test_all_of_them(tmp_path):
    settings = read_settings(
        {
            "CODEPARK_DATA": str(tmp_path),
            "CODEPARK_HOST": "192.0.2.1",
            "CODEPARK_PORT": "8080",
            "CODEPARK_LOG_LEVEL": "WARNING",
            "CODEPARK_SECRET_KEY": KEY,
            "CODEPARK_PUBLIC_URL": "https://codepark.example.org",
            "CODEPARK_SMTP_URL": "smtps://mail.example.org",
            "CODEPARK_MAIL_FROM": "Park <park@example.org>",
            "CODEPARK_REDIS_URL": "redis://redis/",
        }
    )
    assert (settings.data, settings.host, settings.port) == (tmp_path, "192.0.2.1", 8080)
    assert settings.log_level == "warning"
    assert settings.public_url == "https://codepark.example.org"
    assert (settings.smtp_url, settings.mail_from) == ("smtps://mail.example.org", "Park <park@example.org>")
    assert settings.redis == RedisUrls(
        **dict.fromkeys(("cache", "sessions", "queue", "pubsub"), "redis://redis/")
    )
    assert settings.secret.master_key


def test_the_command_line_comes_first(tmp_path):
    variables = {"CODEPARK_DATA": "/elsewhere", "CODEPARK_PORT": "none"}
    settings = read_settings(variables, data=tmp_path, port=9)
    assert (settings.data, settings.port) == (tmp_path, 9)


def test_a_relative_directory_is_that_of_the_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_settings({"CODEPARK_DATA": "here"}).data == tmp_path / "here"


def test_the_usual_name_of_redis_stands_in():
    assert read_settings({"REDIS_URL": "unix:///run/redis"}).redis_url == "unix:///run/redis"


def test_the_url_says_whether_it_is_tls(tmp_path):
    gateway = GatewaySettings(tls_cert_file=tmp_path, tls_key_file=tmp_path)
    assert Settings(data=tmp_path, gateway=gateway).url == "https://127.0.0.1:3000"


class TestSecret:
    def test_a_file_may_hold_it(self, tmp_path):
        file = tmp_path / "key"
        file.write_text(f"{KEY}\n")
        given = read_settings({"CODEPARK_SECRET_KEY": KEY}).secret
        assert read_settings({"CODEPARK_SECRET_KEY_FILE": str(file)}).secret.master_key == given.master_key

    @pytest.mark.parametrize("text", ["short", KEY[:-4], "ä" * 44, "=", "a b c"])
    def test_another_text_is_refused_and_not_shown(self, text):
        with pytest.raises(SettingsError, match="CODEPARK_SECRET_KEY cannot be used") as caught:
            read_settings({"CODEPARK_SECRET_KEY": text})
        assert text not in str(caught.value)

    def test_a_file_with_another_text_is_named(self, tmp_path):
        file = tmp_path / "key"
        file.write_text("short")
        with pytest.raises(SettingsError, match="CODEPARK_SECRET_KEY_FILE cannot be used"):
            read_settings({"CODEPARK_SECRET_KEY_FILE": str(file)})

    def test_a_file_that_is_missing_is_named(self, tmp_path):
        with pytest.raises(SettingsError, match="CODEPARK_SECRET_KEY_FILE cannot be read"):
            read_settings({"CODEPARK_SECRET_KEY_FILE": str(tmp_path / "missing")})

    def test_both_are_too_many(self, tmp_path):
        with pytest.raises(SettingsError, match="not both"):
            read_settings({"CODEPARK_SECRET_KEY": KEY, "CODEPARK_SECRET_KEY_FILE": str(tmp_path)})

    def test_it_is_not_shown(self):
        assert KEY not in repr(read_settings({"CODEPARK_SECRET_KEY": KEY}))


class TestMasterKeys:
    def test_a_file_of_the_operator(self, tmp_path):
        file, keys = tmp_path / "master", {2: new_master_key(), 5: new_master_key()}
        write_master_keys(file, keys)
        settings = read_settings({"CODEPARK_MASTER_KEYS_FILE": str(file), "CODEPARK_SECRET_KEY": KEY})
        assert settings.master_keys == keys
        assert settings.kms(settings.secret).version == 5

    @pytest.mark.parametrize("content", [b"nothing", b"1 AAAA", b"\xff"])
    def test_a_file_that_is_none(self, tmp_path, content):
        file = tmp_path / "master"
        file.write_bytes(content)
        with pytest.raises(SettingsError, match="CODEPARK_MASTER_KEYS_FILE cannot be used"):
            read_settings({"CODEPARK_MASTER_KEYS_FILE": str(file)})

    def test_a_file_that_is_missing(self):
        with pytest.raises(SettingsError, match="CODEPARK_MASTER_KEYS_FILE is '/nowhere'"):
            read_settings({"CODEPARK_MASTER_KEYS_FILE": "/nowhere"})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CODEPARK_PORT", "none", "CODEPARK_PORT is 'none'; it takes a number from 1 to 65535"),
        ("CODEPARK_PORT", "0", "CODEPARK_PORT is '0'; it takes a number from 1 to 65535"),
        (
            "CODEPARK_LOG_LEVEL",
            "loud",
            "CODEPARK_LOG_LEVEL is 'loud'; it takes one of trace, debug, info, warning, error",
        ),
        ("CODEPARK_ACCESS_LOG", "some", "CODEPARK_ACCESS_LOG is 'some'; it takes one of off, errors, all"),
        ("CODEPARK_PUBLIC_URL", "codepark.org", "CODEPARK_PUBLIC_URL must begin with http:// or https://"),
        ("CODEPARK_SMTP_URL", "http://mail", "CODEPARK_SMTP_URL must begin with smtp:// or smtps://"),
        ("CODEPARK_NODE_ADDRESS", "node", "CODEPARK_NODE_ADDRESS is 'node'; it takes host:port"),
        ("CODEPARK_RATE_LIMITS", "yes", "CODEPARK_RATE_LIMITS is 'yes'; it takes on or off"),
        (
            "CODEPARK_GRAPHQL_INTROSPECTION",
            "yes",
            "CODEPARK_GRAPHQL_INTROSPECTION is 'yes'; it takes on or off",
        ),
        (
            "CODEPARK_REDIS_URL",
            "http://redis",
            "CODEPARK_REDIS_URL must begin with redis:// or rediss:// or unix://",
        ),
    ],
)
def test_a_value_that_cannot_be_used(name, value, sentence):
    with pytest.raises(SettingsError) as caught:
        read_settings({name: value})
    assert str(caught.value) == sentence


def test_a_port_of_the_command_line_that_cannot_be_used():
    with pytest.raises(SettingsError, match="--port is 70000; it takes a number from 1 to 65535"):
        read_settings({}, port=70_000)


@pytest.mark.parametrize("off", ["off", "OFF", "Off"])
def test_switches_are_alike_everywhere(off):
    settings = read_settings(
        {
            "CODEPARK_RATE_LIMITS": off,
            "CODEPARK_SIGN_IN_LIMITS": off,
            "CODEPARK_QUOTAS": off,
            "CODEPARK_GRAPHQL_INTROSPECTION": off,
        }
    )
    gateway = settings.gateway
    assert (gateway.rate_limits, gateway.sign_in_limits, gateway.quotas) == (False, False, False)
    assert not settings.graphql.introspection


def test_the_memory_of_a_password_has_a_least():
    assert read_settings({}).password_memory == 64
    assert read_settings({"CODEPARK_PASSWORD_MEMORY": "19"}).password_memory == 19
    with pytest.raises(SettingsError, match=r"CODEPARK_PASSWORD_MEMORY is '?18'?; it takes a number from 19"):
        read_settings({"CODEPARK_PASSWORD_MEMORY": "18"})


def test_the_cluster_profile_is_needed():
    with pytest.raises(SettingsError, match="set CODEPARK_KAFKA_BOOTSTRAP_SERVERS"):
        read_settings({}).cluster()


def test_the_log_level_of_a_file_comes_first(tmp_path):
    file = tmp_path / "level"
    file.write_text("Trace\n")
    variables = {"CODEPARK_LOG_LEVEL": "error", "CODEPARK_LOG_LEVEL_FILE": str(file)}
    settings = read_settings(variables)
    assert (settings.log_level, settings.log_level_file) == ("trace", file)
    file.write_text("loud")
    with pytest.raises(SettingsError, match="CODEPARK_LOG_LEVEL_FILE: there is no log level 'loud'"):
        read_settings(variables)
    file.unlink()
    with pytest.raises(SettingsError, match="CODEPARK_LOG_LEVEL_FILE"):
        read_settings(variables)


def test_sentry_is_asked_for_by_its_own_variables():
    assert read_settings({}).sentry is None
    variables = {"SENTRY_DSN": "https://key@sentry.example/1", "SENTRY_TRACES_SAMPLE_RATE": "0.5"}
    sentry = read_settings(variables).sentry
    assert sentry is not None
    assert (sentry.dsn, sentry.environment, sentry.traces_sample_rate) == (variables["SENTRY_DSN"], None, 0.5)
    for rate in ("1.5", "-1", "nan", "much"):
        with pytest.raises(SettingsError, match="it takes a share from 0 to 1"):
            read_settings(variables | {"SENTRY_TRACES_SAMPLE_RATE": rate})
    with pytest.raises(SettingsError, match="SENTRY_DSN must begin with https:// or http://"):
        read_settings({"SENTRY_DSN": "sentry"})
