"""Repositories with unusual contents, names, people, times and messages."""

from tests.unit.importing.repositories.builders import commit_of, repository_with, scripted


@scripted
def contents_of_every_kind(script):
    script.commit(
        {
            "binary": b"\x89PNG\0\xff",
            "empty": "",
            "zero": b"\0",
            "latin": b"caf\xe9\n",
            "lines": "a\r\nb\rc\n",
            "no end": "a",
            "mark": "\ufeffa\n",
            "wide": "a\n".encode("utf-16"),
            "escapes": "\x1b" * 1_000,
            "separators": "a\u2028b\u2029c\x85",
            "last": "\U0010ffff\ud7ff",
        }
    )


@scripted
def large_files(script):
    script.commit({"fits": "a" * (5 * 1024 * 1024), "large": "a" * (5 * 1024 * 1024 + 1)})
    script.commit({"large": "b" * (5 * 1024 * 1024)})


@scripted
def names_of_any_bytes(script):
    names = [b"a\xff", b"a%FF", b"a%25FF", b"a\xfe/b", b"a%FE/b", b"caf\xe9", b"caf\xc3\xa9", b"\xed\xa0\x80"]
    script.commit({name: name for name in names})
    script.commit({b"a\xff": "2\n"}, gone=[b"a%FF"])


@scripted
def names_with_control_characters(script):
    names = ["tab\there", "line\nbreak", "\x01", "\x7f", "\x85", "%01", "%C2%85", "bell\x07/x"]
    script.commit({name: name for name in names})


@scripted
def names_with_marks(script):
    names = [
        "100%",
        "a%20b",
        "a%41",
        "%C3%A9",
        "%25",
        "a#b",
        "a?b",
        "a;b",
        "a&b=c",
        'q"q',
        "back\\slash",
        "a:b",
        "*",
    ]
    script.commit({name: name for name in names})


@scripted
def names_that_look_alike(script):
    names = [
        "e\u0301",
        "\u00e9",
        "README",
        "readme",
        " lead",
        "trail ",
        "-dash",
        "\u202eabc",
        "\U0001f600",
        "..a",
        "...",
    ]
    script.commit({name: name for name in names})


@scripted
def long_names(script):
    script.commit({"n" * 255: "1\n", "/".join(["d" * 100] * 10): "2\n", "/".join("d" * 300): "3\n"})


@repository_with
def no_author(repository):
    tree = repository.store("tree", b"")
    commit_of(repository, tree, b"committer Ada <ada@example.org> 1700000000 +0000\n")


@repository_with
def authors_of_every_kind(repository):
    tree = repository.store("tree", b"")
    authors = [
        b"Ada",
        b"<ada@example.org>",
        b"Ada <>",
        b"Ada <a <b> c>",
        b"",
        b"A\xff <\xff>",
        b"\0 <a>",
        b"Ada >a<",
    ]
    parent = b""
    for author in authors:
        line = b"%bauthor %b 1700000000 +0000\ncommitter A <a> 1 +0000\n" % (parent, author)
        parent = b"parent %b\n" % commit_of(repository, tree, line).encode()


@repository_with
def times_of_every_kind(repository):
    tree = repository.store("tree", b"")
    times = [
        *(b"1700000000", b"1700000000 UTC", b"1700000000.5", b"1700000000.5 +0100", b"-1 +0000", b"0 -0000"),
        *(
            b"99999999999999999999 +0100",
            b"1313584730 +051800",
            b"1 +1400",
            b"1 -1500",
            b"1 +2400",
            b"",
            b"now",
        ),
        *(b"253402300799 +1400", b"-62135596800 -1200", b"1 +99999999999999999999", b"1 zone"),
    ]
    parent = b""
    for time in times:
        line = b"%bauthor Ada <a@example.org> %b\ncommitter A <a> 1 +0000\n" % (parent, time)
        parent = b"parent %b\n" % commit_of(repository, tree, line).encode()


@scripted
def messages_in_every_encoding(script):
    for number, (encoding, message) in enumerate(
        [
            (b"ISO-8859-1", b"Zo\xeb"),
            (b"UTF-7", b"+2AA-"),
            (b"UTF-7", b"\xff+2AA-"),
            (b"nonsense", b"Zo\xeb"),
            (b"punycode", b"a-" * 99),
            (b"hex", b"zz"),
            (b"\xff", b"a"),
            (b"Shift_JIS", "日本".encode("shift_jis")),
            (None, b"Zo\xeb"),
            (None, b""),
            (None, b"m" * 200_000),
            (None, b"a\r\n\tb\x1b"),
        ]
    ):
        script.commit({"a": f"{number}\n"}, encoding=encoding, message=message)


@repository_with
def headers_of_every_kind(repository):
    tree = repository.store("tree", b"")
    who = b"author Ada <a@example.org> 1700000000 +0000\ncommitter A <a@example.org> 1 +0000\n"
    signature = b"gpgsig -----BEGIN\n \n author Eve <e@example.org> 1 +0000\n -----END\n"
    commit_of(repository, tree, who + signature + b"mergetag object x\n tag y\nHG:extra a\nencoding a\0b\n")


@repository_with
def a_message_with_zeros(repository):
    commit_of(repository, repository.store("tree", b""), message=b"a\0b\n\n\n")
