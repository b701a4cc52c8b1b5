"""`/projects/{id}/files`; the edge has decoded the path of a file once, and nothing decodes it again."""

from urllib.parse import quote

from commands.table.files import FileCommand, FileInput, FileRemoval
from domain.file.paths import checked_path
from read_api.contract.changed_resource import changed_resource
from read_api.contract.past import ask
from read_api.contract.queries import AsOfQuery, FileListQuery
from read_api.contract.views import FileView, ListedFile, ListOf
from read_api.gateway.answers import Answer, command_answer, document_answer, page_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations
from read_api.rest.projects import PROJECT

FILES = PROJECT + "/files"
FILE = FILES + "/{path:str}"

operation = Operations("Files")


@operation("GET", FILES, "project.read", query=FileListQuery, output=ListOf[ListedFile])
async def list_files(call: Call, query: FileListQuery) -> Answer:
    """List a project's files, by path; with `path`, those whose path starts with it."""
    project_id, actor = call.path["project_id"], call.actor
    page = await ask(
        call,
        project_id,
        query.as_of,
        lambda q: q.files.page(project_id, query.path, query.page(), actor),
        authored=True,
    )
    return page_answer(call, f"/api/v1/projects/{project_id}/files", page, query.fields)


@operation("GET", FILE, "project.read", query=AsOfQuery, output=FileView, conditional=True)
async def get_file(call: Call, query: AsOfQuery) -> Answer:
    """Get a file, as it is now or as it was at a time or position."""
    project_id, path, actor = call.path["project_id"], checked_path(call.path["path"]), call.actor
    file = await ask(
        call, project_id, query.as_of, lambda q: q.files.get(project_id, path, actor), authored=True
    )
    return document_answer(call, file)


@operation("PUT", FILE, "file.write", input=FileInput, output=FileView, command=True, also=(201,))
async def write_file(call: Call, data: FileInput) -> Answer:
    """Create a file or replace its content."""
    project_id, path = call.path["project_id"], checked_path(call.path["path"])
    body = FileCommand(path=path, content=data.content, encoding=data.encoding)
    submission = call.submission(call.command_type, body, target=project_id)
    accepted = await call.carry_out(submission)
    document = await changed_resource(call, submission.command, accepted)
    if not accepted.created:
        return command_answer(call, accepted, document)
    location = f"/api/v1/projects/{project_id}/files/{quote(path)}"
    return command_answer(call, accepted, document, status=201, location=location)


@operation("DELETE", FILE, "file.delete", status=204, command=True)
async def delete_file(call: Call) -> Answer:
    """Delete a file."""
    body = FileRemoval(path=checked_path(call.path["path"]))
    return command_answer(call, await call.execute(call.command_type, body, target=call.path["project_id"]))
