"""Settings of the edge: the complaint about a wrong one names the variable."""

from ipaddress import ip_network

import pytest

from codepark.settings import read_settings
from commands.environment import SettingsError
from devservers.certificates import make_certificates


def gateway(**settings):
    return read_settings({f"CODEPARK_{name}": value for name, value in settings.items()}).gateway


def test_what_they_are_without_settings():
    settings = gateway()
    assert (settings.rate_limits, settings.sign_in_limits, settings.quotas) == (True, True, True)
    assert not settings.tls
    assert (settings.trusted_proxies, settings.cors_origins) == ((), frozenset())
    assert (settings.body_seconds, settings.request_seconds) == (30.0, 60.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def test_all_of_them(made):
    settings = gateway(
        TRUSTED_PROXIES="10.0.0.0/8, 2001:db8::1",
        CORS_ORIGINS="https://App.example.org,http://localhost:5173",
        RATE_LIMITS="off",
        SIGN_IN_LIMITS="OFF",
        BODY_SECONDS="2.5",
        REQUEST_SECONDS="5",
        TLS_CERT_FILE=str(made.certificate),
        TLS_KEY_FILE=str(made.key),
    )
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("2001:db8::1/128"))
    assert settings.cors_origins == {"https://app.example.org", "http://localhost:5173"}
    assert (settings.rate_limits, settings.sign_in_limits, settings.tls) == (False, False, True)
    assert (settings.body_seconds, settings.request_seconds) == (2.5, 5.0)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"TRUSTED_PROXIES": "proxy.local"}, "CODEPARK_TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": "10.0.0.1/8"}, "CODEPARK_TRUSTED_PROXIES"),
        ({"CORS_ORIGINS": "app.example.org"}, "CODEPARK_CORS_ORIGINS"),
        ({"CORS_ORIGINS": "https://app.example.org/"}, "CODEPARK_CORS_ORIGINS"),
        ({"CORS_ORIGINS": "null"}, "CODEPARK_CORS_ORIGINS"),
        ({"RATE_LIMITS": "none"}, "CODEPARK_RATE_LIMITS"),
        ({"SIGN_IN_LIMITS": "0"}, "CODEPARK_SIGN_IN_LIMITS"),
        ({"QUOTAS": "none"}, "CODEPARK_QUOTAS"),
        ({"BODY_SECONDS": "0"}, "CODEPARK_BODY_SECONDS"),
        ({"REQUEST_SECONDS": "soon"}, "CODEPARK_REQUEST_SECONDS"),
        ({"LIMITER_SECONDS": "-1"}, "CODEPARK_LIMITER_SECONDS"),
        ({"REQUEST_SECONDS": "inf"}, "CODEPARK_REQUEST_SECONDS"),
        ({"TLS_CERT_FILE": "/nowhere.pem", "TLS_KEY_FILE": "/nowhere.pem"}, "CODEPARK_TLS_CERT_FILE"),
    ],
)
def test_what_is_wrong(settings, name):
    with pytest.raises(SettingsError, match=name):
        gateway(**settings)


def test_half_of_tls_is_none(made):
    with pytest.raises(SettingsError, match="CODEPARK_TLS_KEY_FILE is not"):
        gateway(TLS_CERT_FILE=str(made.certificate))
    with pytest.raises(SettingsError, match="CODEPARK_TLS_CERT_FILE is not"):
        gateway(TLS_KEY_FILE=str(made.key))


def test_a_key_that_is_not_the_certificates(made, tmp_path):
    other = make_certificates(tmp_path)
    with pytest.raises(SettingsError, match="CODEPARK_TLS_CERT_FILE and CODEPARK_TLS_KEY_FILE"):
        gateway(TLS_CERT_FILE=str(made.certificate), TLS_KEY_FILE=str(other.key))


def test_what_is_no_certificate(made, tmp_path):
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing")
    with pytest.raises(SettingsError, match="no PEM"):
        gateway(TLS_CERT_FILE=str(nothing), TLS_KEY_FILE=str(made.key))
