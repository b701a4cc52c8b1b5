// A small session over REST, with types that openapi-typescript made from the published document.

import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const url = process.argv[2] as string;
const visitor = createClient<paths>({ baseUrl: url });
const person = { email: "typescript@example.org", name: "typescript", password: "correct horse battery" };

/** Return what an answer holds; a refusal ends the program with its sentence. */
function held<T>(answer: { data?: T; error?: components["schemas"]["Problem"] }): T {
  if (answer.data === undefined) throw new Error(answer.error?.detail ?? "no body");
  return answer.data;
}

held(await visitor.POST("/api/v1/auth/register", { body: person }));
const { email, password } = person;
const session = held(await visitor.POST("/api/v1/auth/login", { body: { email, password } }));
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${session.accessToken}` } });

// A person writes no more than this: what has a default may be left out.
const project = held(await client.POST("/api/v1/projects", { body: { name: "counter" } }));
const id: string = project.id;
const inProject = { project_id: id };
const file = await client.PUT("/api/v1/projects/{project_id}/files/{path}", {
  params: { path: { ...inProject, path: "count.py" } },
  body: { content: "1\n" },
});
if (file.error) throw new Error(file.error.detail);
const refused = await client.GET("/api/v1/projects/{project_id}", {
  params: { path: { project_id: "0190163d-8694-739b-aea5-966c26f8ad91" } },
});
const listed = held(await client.GET("/api/v1/projects", { params: { query: { limit: 5, sort: "-createdAt" } } }));
const read = held(await client.GET("/api/v1/projects/{project_id}", { params: { path: inProject } }));
const batch = held(
  await client.POST("/api/v1/commands", {
    body: { commands: [{ type: "file.write", target: id, data: { path: "more.py", content: "2\n" } }] },
  }),
);
const names: string[] = listed.items.map((item) => item.name);
const paths_: string[] = read.files.map((entry) => entry.path);
const statuses: ("accepted" | "refused" | "unavailable")[] = batch.results.map((result) => result.status);
console.log(JSON.stringify({ id, names, paths: paths_, statuses, refused: refused.error?.code }));
