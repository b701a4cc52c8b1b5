// A stock graphql-ws client: follows a project's events, resumes behind the last one, asks a query on the same socket.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [url, token, project, after, count] = process.argv.slice(2);
const query = "subscription ($projects: [String!], $after: String) { events(projects: $projects, after: $after) { type version position } }";

function connect(authorization) {
  return createClient({
    url, webSocketImpl: WebSocket, retryAttempts: 0, lazy: true, connectionParams: { authorization },
  });
}

async function take(client, position, wanted) {
  const found = [];
  const events = client.iterate({ query, variables: { projects: [project], after: position } });
  for await (const { data, errors } of events) {
    if (errors) throw new Error(JSON.stringify(errors));
    found.push(data.events);
    if (found.length === wanted) break;
  }
  return found;
}

async function refusal(client, payload) {
  try {
    for await (const _ of client.iterate(payload)) continue;
    return null;
  } catch (error) {
    return error.code ?? error[0]?.extensions?.code ?? String(error);
  }
}

const client = connect(token);
const first = await take(client, after, Number(count) - 1);
const rest = await take(client, first.at(-1).position, 1);
const asked = [];
for await (const result of client.iterate({ query: "{ me { name } }" })) asked.push(result.data.me.name);
const stranger = connect("nonsense");
const answer = {
  events: [...first, ...rest],
  asked,
  badToken: await refusal(stranger, { query: "{ me { name } }" }),
  badQuery: await refusal(client, { query: "subscription { nope }" }),
  badPosition: await refusal(client, { query, variables: { after: "AAAA" } }),
};
await client.dispose();
console.log(JSON.stringify(answer));
