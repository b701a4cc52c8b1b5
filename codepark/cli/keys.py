"""`codepark keys`: rotate the keys of the installation."""

import cyclopts

from codepark.cli.operations import Json, settings_of, show_result
from codepark.cli.remote import operate
from codepark.cli.serve import Data

keys_app = cyclopts.App(name="keys", help="Rotate the keys of the installation.")


@keys_app.command(name="rotate-signing")
def rotate_signing(*, data: Data = None, as_json: Json = False) -> None:
    """Announce the next generation of the key that signs tokens.

    It signs ten minutes later. The one before it stays good for as long as what it signed may be: nobody is logged out.
    """
    result = operate(settings_of(data), "rotate-signing-key", {})
    show_result(result, as_json=as_json, line=f"generation {result['generation']} signs in ten minutes")


@keys_app.command(name="rotate-master")
def rotate_master(*, data: Data = None, as_json: Json = False) -> None:
    """Wrap the keys of people anew with the newest master key.

    In the embedded profile a new master key is made for it, and the ones before are destroyed: the keys of people in
    older backups can then be unwrapped no more. In the cluster profile the newest line of CODEPARK_MASTER_KEYS_FILE is
    it; remove the older lines afterwards.
    """
    result = operate(settings_of(data), "rotate-master-key", {})
    line = f"version {result['version']} wraps the keys of people; {result['wrapped']} were wrapped anew"
    show_result(result, as_json=as_json, line=line)
