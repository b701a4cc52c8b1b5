"""The language that a file is written in, told by its name."""

from pathlib import PurePosixPath

_BY_EXTENSION = {
    "bash": "Shell", "c": "C", "cc": "C++", "clj": "Clojure", "cpp": "C++", "cs": "C#", "css": "CSS",
    "cxx": "C++", "dart": "Dart", "erl": "Erlang", "ex": "Elixir", "exs": "Elixir", "go": "Go",
    "graphql": "GraphQL", "h": "C", "hpp": "C++", "hs": "Haskell", "htm": "HTML", "html": "HTML",
    "ini": "INI", "ipynb": "Jupyter Notebook", "java": "Java", "jl": "Julia", "js": "JavaScript",
    "json": "JSON", "jsx": "JavaScript", "kt": "Kotlin", "kts": "Kotlin", "less": "Less", "lua": "Lua",
    "m": "Objective-C", "md": "Markdown", "mjs": "JavaScript", "ml": "OCaml", "mm": "Objective-C++",
    "php": "PHP", "pl": "Perl", "proto": "Protocol Buffers", "ps1": "PowerShell", "py": "Python",
    "pyi": "Python", "pyx": "Cython", "r": "R", "rb": "Ruby", "rs": "Rust", "rst": "reStructuredText",
    "sass": "Sass", "scala": "Scala", "scss": "SCSS", "sh": "Shell", "sql": "SQL", "svelte": "Svelte",
    "swift": "Swift", "tex": "TeX", "tf": "HCL", "toml": "TOML", "ts": "TypeScript", "tsx": "TypeScript",
    "txt": "Text", "vue": "Vue", "xml": "XML", "yaml": "YAML", "yml": "YAML", "zig": "Zig", "zsh": "Shell",
}  # fmt: skip
_BY_NAME = {"dockerfile": "Dockerfile", "makefile": "Makefile", "cmakelists.txt": "CMake"}


def language_of(path: str) -> str | None:
    """Return the language of the file at *path*, None where its name does not tell."""
    name = PurePosixPath(path).name.lower()
    return _BY_NAME.get(name) or _BY_EXTENSION.get(name.rpartition(".")[2] if "." in name else "")
