// Shows the OpenAPI document with Swagger UI; nothing is asked of another host.

import { withIdsOfHere } from "./examples.js";

const dark = window.matchMedia("(prefers-color-scheme: dark)");

function follow() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

dark.addEventListener("change", follow);
follow();

/** The token that every request of the page is sent with. */
function token() {
  return sessionStorage.getItem("codepark.token");
}

async function show() {
  const loaded = await fetch("/schema/openapi.json").then((answer) => answer.json());
  const spec = await withIdsOfHere(loaded, token());
  const ui = window.SwaggerUIBundle({
    spec,
    domNode: document.getElementById("docs"),
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    filter: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    onComplete: () => {
      if (token()) ui.preauthorizeApiKey("bearer", token());
    },
  });
  document.addEventListener("codepark:changed", async () => {
    ui.specActions.updateSpec(JSON.stringify(await withIdsOfHere(loaded, token())));
    if (token()) ui.preauthorizeApiKey("bearer", token());
  });
}

show();
