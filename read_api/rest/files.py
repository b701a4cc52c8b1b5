"""`/projects/{id}/files`: paths are checked before anything is decoded a second time."""

from typing import Annotated
from urllib.parse import quote

import msgspec
from msgspec import Meta

from commands.table import files as inputs
from domain.file.paths import checked_path
from read_api.contract.lists import ListQuery, listed
from read_api.contract.past import asked_past, left_by
from read_api.contract.views import FileView, ListedFile, ListOf
from read_api.gateway.call import Answer, Call
from read_api.gateway.operation import Operations
from read_api.rest.projects import PROJECT, AsOfQuery

FILES = PROJECT + "/files"
FILE = FILES + "/{path:str}"

operation = Operations("Files")


class FileListQuery(ListQuery):
    """Which files."""

    path: Annotated[str, Meta(max_length=1_024)] = ""


@operation("GET", FILES, "project.read", query=FileListQuery, output=ListOf[ListedFile])
async def list_files(call: Call, query: FileListQuery) -> Answer:
    """List the files of a project, by path."""
    project_id, actor = call.path["project_id"], call.actor
    page = await call.read(lambda q: q.files.page(project_id, query.path, query.page(), actor))
    return listed(call, f"/api/v1/projects/{project_id}/files", page, query.fields)


@operation("GET", FILE, "project.read", query=AsOfQuery, output=FileView, conditional=True)
async def get_file(call: Call, query: AsOfQuery) -> Answer:
    """Show a file, as it is or as it was."""
    project_id, path, actor = call.path["project_id"], checked_path(call.path["path"]), call.actor
    if query.as_of is not None:
        found = await asked_past(
            call, project_id, query.as_of, f"file:{path}", lambda q: q.files.get(project_id, path, actor)
        )
    else:
        found = await call.read(lambda q: q.files.get(project_id, path, actor))
    return call.shown(found, found["version"])


@operation("PUT", FILE, "file.write", input=inputs.FileInput, output=FileView, command=True, also=(201,))
async def write_file(call: Call, data: inputs.FileInput) -> Answer:
    """Set the content of a file."""
    project_id, path, actor = call.path["project_id"], checked_path(call.path["path"]), call.actor
    body = inputs.FileCommand(path=path, content=data.content, encoding=data.encoding)
    done = await call.execute("file.write", body, target=project_id)
    found = await left_by(call, done, project_id, lambda q: q.files.get(project_id, path, actor))
    headers = call.command_headers(done)
    created = done.changed and done.version == 1
    if created:
        headers["Location"] = f"/api/v1/projects/{project_id}/files/{quote(path)}"
    return Answer(
        status=201 if created else 200, body=msgspec.json.encode(call.picked(found)), headers=headers
    )


@operation("DELETE", FILE, "file.delete", status=204, command=True)
async def delete_file(call: Call) -> Answer:
    """Delete a file."""
    project_id, path = call.path["project_id"], checked_path(call.path["path"])
    body = inputs.FileRemoval(path=path)
    done = await call.execute("file.delete", body, target=project_id)
    return Answer(status=204, headers=call.command_headers(done))
