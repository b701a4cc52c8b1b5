"""`python -m devservers start | stop | status`: the servers of the cluster profile, without Docker."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import cyclopts
from cyclopts import Parameter
from rich.console import Console

from devservers.errors import ServerError
from devservers.fleet import VARIABLES, Entry, Fleet, default_folder

app = cyclopts.App(
    name="python -m devservers", help="Kafka, MongoDB's protocol and Valkey on loopback, without Docker."
)
_progress = Console(stderr=True)

Data = Annotated[Path | None, Parameter(name="--data", help="The folder of the servers' data and logs.")]
Json = Annotated[bool, Parameter(name="--json", negative=(), help="Print JSON.")]


@app.command
def start(*, data: Data = None, as_json: Json = False) -> None:
    """Start the servers that do not run, wait until all answer, and print their addresses for a shell."""
    fleet = _fleet(data)
    with _progress.status("starting …") as status:

        def show(kind: str, text: str) -> None:
            _progress.print(f"[dim]{kind} {text}[/dim]")
            status.update("waiting for an answer …")

        entries = fleet.start(progress=show)
    _print(entries, as_json=as_json)


@app.command
def stop(*, data: Data = None) -> None:
    """End the servers that `start` started, and nothing else; their data stays."""
    with _progress.status("stopping …"):
        ended = _fleet(data).stop(lambda kind, text: _progress.print(f"[dim]{kind} {text}[/dim]"))
    if not ended:
        _progress.print("nothing was running")


@app.command
def status(*, data: Data = None, as_json: Json = False) -> None:
    """Show which servers run; the exit status is 1 where one does not."""
    entries = {kind: entry for kind, entry in _fleet(data).entries().items() if entry.running}
    if as_json:
        _print(entries, as_json=True)
    else:
        for kind in VARIABLES:
            entry = entries.get(kind)
            _write(f"{kind}: {f'{entry.address} (process {entry.identity.pid})' if entry else 'not running'}")
    if len(entries) < len(VARIABLES):
        sys.exit(1)


@app.command(show=False)
def keep(kind: str, folder: Path, *, parent: int) -> None:
    """Run one server until the process *parent* has ended; for tests."""
    from devservers.keeper import keep as run  # noqa: PLC0415 # only this command needs it

    run(kind, folder, parent)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except ServerError as error:
        _progress.print(f"cluster: {error}", style="red", markup=False, highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _fleet(data: Path | None) -> Fleet:
    return Fleet(data or default_folder())


def _print(entries: dict[str, Entry], *, as_json: bool) -> None:
    addresses = {name: entries[kind].address for kind, name in VARIABLES.items() if kind in entries}
    if as_json:
        _write(json.dumps(addresses))
        return
    for name, address in addresses.items():
        _write(f"export {name}={shlex.quote(address)}")


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
