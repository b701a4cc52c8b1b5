// A small session over GraphQL, with types that GraphQL Code Generator made from the schema of the server.

import { readFileSync } from "node:fs";
import type * as types from "./graphql-types.js";

const [url, token] = process.argv.slice(2) as [string, string];
const document = readFileSync(new URL("./session.graphql", import.meta.url), "utf-8");

/** Carry out one operation of the document. */
async function run<Result, Variables>(operationName: string, variables: Variables): Promise<Result> {
  const answer = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: document, operationName, variables }),
  });
  const { data, errors } = (await answer.json()) as { data: Result; errors?: { message: string }[] };
  if (errors) throw new Error(errors.map((error) => error.message).join(", "));
  return data;
}

const made = await run<types.CreateMutation, types.CreateMutationVariables>("Create", {
  input: { name: "graph" },
});
const id: string = made.createProject!.project!.id;
await run<types.WriteMutation, types.WriteMutationVariables>("Write", {
  projectId: id,
  input: { path: "count.py", content: "1\n" },
});
const read = await run<types.ReadQuery, types.ReadQueryVariables>("Read", { id });
const names = read.projects!.map((project) => project.name);
const paths = read.project!.files.edges.map((edge) => edge.node.path);
console.log(JSON.stringify({ id: read.project!.id, names, paths }));
