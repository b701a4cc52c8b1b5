"""Write the generated parts of the reference: `python docs/generate.py`; `--check` lists outdated ones."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from graphql import build_schema, find_breaking_changes

from docs.generator.chain_vectors import chain_vectors
from docs.generator.pages import SECTIONS, commands_page, events_page, graphql_schema, public_events_page
from docs.generator.sealed_vectors import sealed_vectors
from streams.public.compatibility import same_contract
from streams.public.schemas import schemas as public_schemas

DOCS = Path(__file__).parent
REFERENCE = DOCS / "reference"
PUBLIC_SCHEMAS = REFERENCE / "events"
_BEGIN, _END = "<!-- generated: {} -->", "<!-- end of what is generated -->"

FILES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "events.md": events_page,
    "public-events.md": public_events_page,
    "chain-vectors.json": chain_vectors,
    "sealed-vectors.json": sealed_vectors,
    "schema.graphql": graphql_schema,
}
"""The generated files of the reference."""


def generated() -> dict[Path, str]:
    """Return every generated file with the text that it should have."""
    texts = {REFERENCE / name: write() for name, write in FILES.items()}
    for name, document in public_schemas().items():
        texts[PUBLIC_SCHEMAS / name] = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    for name, sections in SECTIONS.items():
        path = DOCS / name
        text = path.read_text(encoding="utf-8")
        for section, write in sections.items():
            text = _replaced(text, section, write())
        texts[path] = text
    return texts


def _replaced(text: str, section: str, body: str) -> str:
    begin = _BEGIN.format(section)
    before, begun, rest = text.partition(begin)
    _, ended, after = rest.partition(_END)
    if not begun or not ended:
        raise ValueError(f"the page has no section {section}")
    return f"{before}{begin}\n\n{body}\n\n{_END}{after}"


def stale() -> list[Path]:
    """Return the outdated files."""
    return [
        path
        for path, text in generated().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def broken_promises() -> list[str]:
    """Describe the published schemas that the code breaks; readers rely on them, so nothing rewrites them."""
    return _broken_events() + _broken_graphql()


def _broken_graphql() -> list[str]:
    published = REFERENCE / "schema.graphql"
    if not published.exists():
        return []
    served = build_schema(graphql_schema())
    changes = find_breaking_changes(build_schema(published.read_text(encoding="utf-8")), served)
    return [
        f"{published.name}: {change.description} Deprecate it instead; to break it anyway, remove the file."
        for change in changes
    ]


def _broken_events() -> list[str]:
    return [
        f"{name} is published with other fields: raise its version in streams/public/publications.py"
        for name, document in public_schemas().items()
        if (PUBLIC_SCHEMAS / name).exists()
        and not same_contract(json.loads((PUBLIC_SCHEMAS / name).read_text(encoding="utf-8")), document)
    ]


def main() -> None:
    """Write the files, or check them."""
    if broken := broken_promises():
        sys.exit("\n".join(broken))
    if "--check" in sys.argv[1:]:
        sys.exit("\n".join(f"outdated: {path.name}" for path in stale()) or 0)
    PUBLIC_SCHEMAS.mkdir(exist_ok=True)
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
