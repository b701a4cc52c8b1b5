// The examples of the document with ids that exist here, so that a request works as it stands.

/** Return what the API answers, null where it refuses. */
async function asked(path, token) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(`/api/v1${path}`, { headers });
  return answer.ok ? answer.json() : null;
}

/** Return ids of things that the caller may see, by the names of the parameters that take them. */
async function idsOfHere(token) {
  const project = (await asked("/projects?limit=1", token))?.items[0];
  if (!project) return {};
  const [files, commits] = await Promise.all(
    ["files", "commits"].map((part) => asked(`/projects/${project.id}/${part}?limit=1`, token)),
  );
  return {
    project_id: project.id,
    account_id: project.ownerId,
    path: files?.items[0]?.path,
    sha: commits?.items[0]?.sha,
  };
}

/** Return the document with these ids as the examples of its parameters. */
export async function withIdsOfHere(document, token) {
  const ids = await idsOfHere(token).catch(() => ({}));
  const copy = structuredClone(document);
  for (const methods of Object.values(copy.paths)) {
    for (const operation of Object.values(methods)) {
      for (const parameter of operation.parameters) {
        if (parameter.in === "path" && ids[parameter.name]) parameter.example = ids[parameter.name];
      }
    }
  }
  return copy;
}
