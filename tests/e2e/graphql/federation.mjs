// Composes the server's subgraph with another one, and queries both through Apollo's gateway.
import { createRequire } from "node:module";
import { startStandaloneServer } from "@apollo/server/standalone";
import { parse } from "graphql";

// The gateway and the composer are CommonJS: one copy of graphql for all of them.
const require = createRequire(import.meta.url);
const { composeServices } = require("@apollo/composition");
const { ApolloGateway, RemoteGraphQLDataSource } = require("@apollo/gateway");
const { ApolloServer } = require("@apollo/server");
const { buildSubgraphSchema } = require("@apollo/subgraph");
const gql = (text) => require("graphql").parse(text);

const [url, token, ada, project] = process.argv.slice(2);
const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
const listen = { host: "127.0.0.1", port: 0 };

const badges = gql(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])
  type Query { badge: Badge }
  type Badge { holder: Account! of: Project! pageInfo: PageInfo! }
  type Account @key(fields: "id") { id: ID! points: Int! }
  type Project @key(fields: "id") { id: ID! stars: Int! }
  type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
`);
const resolvers = {
  Query: { badge: () => ({ holder: { id: ada }, of: { id: project }, pageInfo: { hasNextPage: false, hasPreviousPage: false } }) },
  Account: { points: () => 7 },
  Project: { stars: () => 3 },
};

async function ask(address, query, variables = {}) {
  const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  return answer.json();
}

const sdl = (await ask(url, "{ _service { sdl } }")).data._service.sdl;
const second = new ApolloServer({ schema: buildSubgraphSchema({ typeDefs: badges, resolvers }) });
const { url: secondUrl } = await startStandaloneServer(second, { listen });
const composed = composeServices([
  { name: "codepark", url, typeDefs: gql(sdl) },
  { name: "badges", url: secondUrl, typeDefs: badges },
]);
const found = { errors: (composed.errors ?? []).map(String), hints: composed.hints.map(String) };
if (found.errors.length === 0) {
  class Forwarding extends RemoteGraphQLDataSource {
    willSendRequest({ request, context }) {
      if (context.authorization) request.http.headers.set("authorization", context.authorization);
    }
  }
  const gateway = new ApolloGateway({
    supergraphSdl: composed.supergraphSdl, buildService: (service) => new Forwarding(service),
  });
  const front = new ApolloServer({ gateway });
  const context = async ({ req }) => ({ authorization: req.headers.authorization });
  const { url: address } = await startStandaloneServer(front, { listen, context });
  found.out = await ask(address, "{ projects { id name stars owner { name points } collaborators { id name account { points } } } }");
  found.back = await ask(address, "{ badge { holder { name points email } of { name aiInsights { complexity } } pageInfo { hasNextPage } } }");
  found.changed = await ask(address, "mutation ($id: ID!) { updateProject(projectId: $id, input: { description: \"by the gateway\" }) { version project { description stars } } }", { id: project });
  found.refused = await ask(address, "mutation ($id: ID!) { updateProject(projectId: $id, input: { name: \"no\" }, expectedVersion: 99) { version } }", { id: project });
  await front.stop();
}
await second.stop();
console.log(JSON.stringify(found));
