"""One reader of settings: what each kind takes, and that a refusal names its variable."""

import pytest

from commands.environment import Environment, SettingsError, check_port, check_scheme


def environment(value: str | None = None, **more: str) -> Environment:
    return Environment(({} if value is None else {"NAME": value}) | more)


def refusal(read, value: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(environment(value))
    return str(caught.value)


def test_an_empty_text_counts_as_not_set():
    assert environment("").text("NAME") is None
    assert environment("").given("NAME") == ""
    assert environment().given("NAME") is None
    assert environment("x").text("NAME") == "x"


def test_the_first_variable_that_is_set_counts():
    assert environment("a", OTHER="b").text("NAME", "OTHER") == "a"
    assert environment("", OTHER="b").text("NAME", "OTHER") == "b"
    assert environment().text("NAME", "OTHER") is None


@pytest.mark.parametrize("value", ["off", "OFF", "Off"])
def test_a_switch_is_off_in_any_case(value):
    assert environment(value).switch("NAME") is False


@pytest.mark.parametrize("value", [None, "", "on", "ON", "On"])
def test_a_switch_is_on_where_nothing_says_off(value):
    assert environment(value).switch("NAME") is True


@pytest.mark.parametrize("value", ["0", "false", "no", " off"])
def test_a_switch_takes_nothing_else(value):
    assert refusal(lambda e: e.switch("NAME"), value) == f"NAME is {value!r}; it takes on or off"


def test_a_choice_is_found_in_any_case_and_returned_as_it_is_known():
    assert environment("plain").choice("NAME", ("PLAIN", "SCRAM")) == "PLAIN"
    assert environment("Debug").choice("NAME", ("debug", "info")) == "debug"
    assert environment().choice("NAME", ("debug",)) is None
    assert (
        refusal(lambda e: e.choice("NAME", ("debug", "info")), "loud")
        == "NAME is 'loud'; it takes one of debug, info"
    )


def test_a_number_has_bounds():
    assert environment().number("NAME", 3, range(1, 6)) == 3
    assert [environment(text).number("NAME", 3, range(1, 6)) for text in ("1", "5", "05")] == [1, 5, 5]


@pytest.mark.parametrize("value", ["0", "6", "-1", "2.0", "two", " 2", "²", "٣"])
def test_a_number_outside_its_bounds_is_refused(value):
    assert (
        refusal(lambda e: e.number("NAME", 3, range(1, 6)), value)
        == f"NAME is {value!r}; it takes a number from 1 to 5"
    )


def test_seconds():
    assert environment().seconds("NAME", 0.5) == 0.5
    assert environment("2.5").seconds("NAME", 0.5) == 2.5


@pytest.mark.parametrize("value", ["0", "-1", "inf", "nan", "soon"])
def test_seconds_are_above_zero(value):
    assert (
        refusal(lambda e: e.seconds("NAME", 1.0), value)
        == f"NAME is {value!r}; it takes a number of seconds above 0"
    )


def test_addresses():
    assert environment("a:1").address("NAME") == "a:1"
    assert environment("[::1]:65535").address("NAME") == "[::1]:65535"
    assert environment("a:1,b:2").addresses("NAME") == "a:1,b:2"
    assert environment().address("NAME") is environment().addresses("NAME") is None


@pytest.mark.parametrize("value", ["a", ":1", "a:", "a:0", "a:65536", "a:x", "a:1,b:2"])
def test_an_address_has_a_host_and_a_port(value):
    assert refusal(lambda e: e.address("NAME"), value) == f"NAME is {value!r}; it takes host:port"


def test_each_of_several_addresses_is_checked():
    assert "several separated by commas" in refusal(lambda e: e.addresses("NAME"), "a:1,b")


def test_a_url_has_one_of_the_schemes_and_is_not_shown():
    assert environment("smtp://mail").url("NAME", ("smtp://", "smtps://")) == "smtp://mail"
    assert environment().url("NAME", ("smtp://",)) is None
    text = refusal(lambda e: e.url("NAME", ("smtp://", "smtps://")), "http://user:hunter2@mail")
    assert text == "NAME must begin with smtp:// or smtps://"


def test_a_scheme_is_checked_where_there_is_a_url():
    check_scheme("NAME", None, ("redis://",))
    with pytest.raises(SettingsError, match="NAME must begin with redis://"):
        check_scheme("NAME", "http://", ("redis://",))


def test_a_port():
    assert check_port("--port", 65_535) == 65_535
    for port in (0, 65_536):
        with pytest.raises(SettingsError, match=f"--port is {port}"):
            check_port("--port", port)


def test_a_file_exists(tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert environment(str(file)).file("NAME") == str(file)
    assert environment().file("NAME") is None
    assert "there is no such file" in refusal(lambda e: e.file("NAME"), str(tmp_path))


def test_a_readable_file_becomes_an_absolute_path(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    assert environment("file").readable_file("NAME") == tmp_path / "file"
    assert environment().readable_file("NAME") is None
    assert "which cannot be read: No such file" in refusal(lambda e: e.readable_file("NAME"), "missing")


def test_a_secret_in_a_file_has_no_white_space_around_it(tmp_path):
    file = tmp_path / "secret"
    file.write_text(" a secret\n")
    assert environment(str(file)).secret_file("NAME") == "a secret"
    assert environment().secret_file("NAME") is None
    file.write_bytes(b"\xff")
    assert "NAME cannot be read" in refusal(lambda e: e.secret_file("NAME"), str(file))
    assert "NAME cannot be read" in refusal(lambda e: e.secret_file("NAME"), str(tmp_path / "missing"))


def test_a_list_is_separated_by_commas():
    assert environment(" a, b ,,c").list("NAME") == ["a", "b", "c"]
    assert environment().list("NAME") == []


def test_a_text_may_be_in_a_file(tmp_path):
    file = tmp_path / "uri"
    file.write_text("mongodb://user:secret@host/\n")
    assert environment(NAME_FILE=str(file)).text_or_file("NAME") == "mongodb://user:secret@host/"
    assert environment("written").text_or_file("NAME") == "written"
    assert environment().text_or_file("NAME", "OTHER") is None
    with pytest.raises(SettingsError, match="NAME and NAME_FILE are both set"):
        environment("written", NAME_FILE=str(file)).text_or_file("NAME")
    with pytest.raises(SettingsError, match="NAME_FILE cannot be read"):
        environment(NAME_FILE=str(tmp_path / "none")).text_or_file("NAME")
    file.write_text("\n")
    with pytest.raises(SettingsError, match="NAME_FILE names an empty file"):
        environment(NAME_FILE=str(file)).text_or_file("NAME")
