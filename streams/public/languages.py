"""The names of languages that are published.

The language of a project is a text that somebody wrote. Therefore only names of this list are published.
"""

OTHER = "other"

LANGUAGES: tuple[str, ...] = (
    "Ada",
    "Assembly",
    "C",
    "C#",
    "C++",
    "Clojure",
    "CMake",
    "COBOL",
    "CSS",
    "Dart",
    "Dockerfile",
    "Elixir",
    "Elm",
    "Erlang",
    "F#",
    "Fortran",
    "Go",
    "GraphQL",
    "Groovy",
    "Haskell",
    "HCL",
    "HTML",
    "INI",
    "Java",
    "JavaScript",
    "JSON",
    "Julia",
    "Jupyter Notebook",
    "Kotlin",
    "Less",
    "Lisp",
    "Lua",
    "Makefile",
    "Markdown",
    "MATLAB",
    "Nim",
    "Objective-C",
    "Objective-C++",
    "OCaml",
    "Pascal",
    "Perl",
    "PHP",
    "PowerShell",
    "Prolog",
    "Protocol Buffers",
    "Python",
    "R",
    "reStructuredText",
    "Ruby",
    "Rust",
    "Sass",
    "Scala",
    "Scheme",
    "SCSS",
    "Shell",
    "SQL",
    "Svelte",
    "Swift",
    "TeX",
    "Text",
    "TOML",
    "TypeScript",
    "Vue",
    "XML",
    "YAML",
    "Zig",
)

_BY_FOLDED = {name.casefold(): name for name in LANGUAGES}


def public_language(name: str | None) -> str | None:
    """Return the published name of a language, `other` for one that is not on the list."""
    if name is None:
        return None
    return _BY_FOLDED.get(name.strip().casefold(), OTHER)
