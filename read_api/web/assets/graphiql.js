// Shows GraphiQL over /graphql, with live events over the same path; nothing is asked of another host.

const { React, ReactDOM, GraphiQL } = window;
const address = new URL("/graphql", location.href);
const live = new URL(address);
live.protocol = live.protocol.replace("http", "ws");

const token = sessionStorage.getItem("codepark.token");
const headers = token ? JSON.stringify({ Authorization: `Bearer ${token}` }, null, 2) : undefined;

const root = ReactDOM.createRoot(document.getElementById("graphiql"));
root.render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: address.href, subscriptionUrl: live.href }),
    defaultQuery: "{\n  projects {\n    id\n    name\n    collaborators { id name }\n    aiInsights { complexity suggestions }\n  }\n}\n",
    defaultHeaders: headers,
    isHeadersEditorEnabled: true,
  }),
);
