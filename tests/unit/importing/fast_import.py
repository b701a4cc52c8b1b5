"""Builds repositories quickly: one `git fast-import` for a whole history."""

DATES = 1_700_000_000


def quoted(path):
    """Return a path of bytes as fast-import reads it: in quotes, with octal escapes."""
    return b'"' + b"".join(b"\\%03o" % byte for byte in path) + b'"'


class Script:
    """The input of fast-import; each commit has a number, by which others name it as a parent."""

    def __init__(self):
        self._lines = []
        self._count = 0

    def commit(self, files=None, *, on="main", parents=None, message=b"m", encoding=None, gone=()):
        """Add a commit that sets *files* and deletes *gone*; *parents* None: the branch's last commit.

        A file is its content, or a pair of its mode and its content (for a submodule: the commit's id).
        """
        self._count += 1
        who = b"Ada <ada@example.org> %d +0100" % (DATES + self._count)
        self._lines += [
            b"commit refs/heads/" + on.encode(),
            b"mark :%d" % self._count,
            b"author " + who,
            b"committer " + who,
            *([b"encoding " + encoding] if encoding else []),
            b"data %d\n%b" % (len(message), message),
        ]
        if parents is not None:
            words = [b"from", *[b"merge"] * len(parents)]
            self._lines += [b"%b :%d" % pair for pair in zip(words, parents, strict=False)]
        self._lines += [b"D " + quoted(as_bytes(path)) for path in gone]
        for path, file in (files or {}).items():
            self._add(as_bytes(path), file)
        self._lines.append(b"")
        return self._count

    def reset(self, branch, commit):
        """Let a branch be at a commit."""
        self._lines += [b"reset refs/heads/%b\nfrom :%d\n" % (branch.encode(), commit)]

    def _add(self, path, file):
        mode, content = file if isinstance(file, tuple) else ("100644", file)
        if mode == "160000":
            self._lines.append(b"M 160000 %b %b" % (content.encode(), quoted(path)))
            return
        data = as_bytes(content)
        self._lines.append(b"M %b inline %b\ndata %d\n%b" % (mode.encode(), quoted(path), len(data), data))

    def run(self, repository):
        """Write the commits into *repository*, and check out nothing."""
        data = b"\n".join(self._lines) + b"\ndone\n"
        repository.git(
            "fast-import", "--quiet", "--done", "--force", "--date-format=raw-permissive", stdin=data
        )


def as_bytes(value):
    return value if isinstance(value, bytes) else value.encode()
