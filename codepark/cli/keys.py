"""`codepark keys`: rotate the keys of the installation."""

import cyclopts

from codepark.cli.options import Data, Json, quiet_settings
from codepark.cli.remote import operate
from codepark.cli.results import show

keys_app = cyclopts.App(name="keys", help="Rotate the keys of the installation.")


@keys_app.command(name="rotate-signing")
def rotate_signing(*, data: Data = None, as_json: Json = False) -> None:
    """Announce the next generation of the key that signs tokens.

    It signs ten minutes later. The key before it stays valid as long as the tokens that it signed: no session
    ends. The tokens of `codepark token` end at once: print new ones.
    """
    result = operate(quiet_settings(data), "rotate-signing-key", {})
    show(result, f"generation {result['generation']} signs in ten minutes", as_json=as_json)


@keys_app.command(name="rotate-master")
def rotate_master(*, data: Data = None, as_json: Json = False) -> None:
    """Re-wrap the keys of people with the newest master key.

    In the embedded profile this makes a new master key and destroys the ones before it: the keys of people in
    older backups can no longer be unwrapped. In the cluster profile the newest line of
    CODEPARK_MASTER_KEYS_FILE wraps them; remove the older lines afterwards.
    """
    result = operate(quiet_settings(data), "rotate-master-key", {})
    line = f"version {result['version']} wraps the keys of people; {result['wrapped']} were re-wrapped"
    show(result, line, as_json=as_json)
