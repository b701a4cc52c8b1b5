"""Tables show whole ids: in a file as they are, and on a narrow terminal in several lines."""

import io

from rich.table import Table

from codepark.cli.results import console_for

ID = "account-0190b5c8-7f3e-7a55-9a39-5f1f2f0a77aa"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def printed(stream, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    table = Table("read model", "event", "type", "stream", "reason")
    table.add_row("public-topics", "0/12345678", "account.address_verified", ID, "it has no name " * 20)
    console_for(table, stream).print(table)
    return stream.getvalue()


def test_a_file_has_whole_lines(monkeypatch):
    line = next(line for line in printed(io.StringIO(), monkeypatch).splitlines() if "public-topics" in line)
    assert ID in line
    assert line.count("it has no name") == 20


def test_a_narrow_terminal_folds_and_cuts_nothing(monkeypatch):
    text = printed(Terminal(), monkeypatch)
    assert "…" not in text
    cells = [line.split("│") for line in text.splitlines() if "│" in line]
    assert "".join(row[4].strip() for row in cells) == ID


def test_a_short_table_takes_no_more_than_it_needs():
    table = Table("a", "b")
    table.add_row("1", "2")
    stream = io.StringIO()
    console_for(table, stream).print(table)
    assert max(len(line.rstrip()) for line in stream.getvalue().splitlines()) < 20
