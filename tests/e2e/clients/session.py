"""A small session with the client that openapi-python-client made from the published document."""

import json
import sys

from code_park_client import AuthenticatedClient, Client
from code_park_client.api.files import write_file
from code_park_client.api.projects import create_project, get_project, list_projects
from code_park_client.api.signing_in import login, register
from code_park_client.models import FileInput, LoginInput, ProjectInput, RegisterInput


def main(url: str) -> None:
    """Register, create a project, write a file, list and read."""
    visitor = Client(base_url=url)
    email, password = "python@example.org", "correct horse battery"  # of this test alone
    account = register.sync(client=visitor, body=RegisterInput(email=email, name="python", password=password))
    session = login.sync(client=visitor, body=LoginInput(email=email, password=password))
    client = AuthenticatedClient(base_url=url, token=session.access_token)
    project = create_project.sync(client=client, body=ProjectInput(name="counter"))
    body = FileInput(content="1\n")
    write_file.sync(project_id=project.id, path="count.py", client=client, body=body)
    listed = list_projects.sync(client=client, limit=5)
    read = get_project.sync(project_id=project.id, client=client)
    shown = {
        "name": account.name,
        "id": str(read.id),
        "names": [each.name for each in listed.items],
        "paths": [entry.path for entry in read.files],
        "visibility": read.visibility.value,
    }
    sys.stdout.write(json.dumps(shown) + "\n")


main(sys.argv[1])
