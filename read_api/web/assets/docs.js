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

const place = document.getElementById("docs");
let newest = 0;

/** Make the document with the ids of now, and give it to *use* unless a newer one has been asked for. */
async function withIds(loaded, use) {
  const number = ++newest;
  place.setAttribute("aria-busy", "true");
  const spec = await withIdsOfHere(loaded, token());
  if (number !== newest) return;
  use(spec);
  place.setAttribute("aria-busy", "false");
}

async function show() {
  const loaded = await fetch("/schema/openapi.json").then((answer) => answer.json());
  let ui = null;
  const authorize = () => {
    if (token()) ui.preauthorizeApiKey("bearer", token());
  };
  const open = (spec) => {
    ui = window.SwaggerUIBundle({
      spec,
      domNode: place,
      deepLinking: true,
      docExpansion: "list",
      defaultModelsExpandDepth: 0,
      displayRequestDuration: true,
      filter: true,
      tryItOutEnabled: true,
      validatorUrl: null,
      onComplete: authorize,
    });
  };
  const renew = (spec) => {
    ui.specActions.updateSpec(JSON.stringify(spec));
    authorize();
  };
  const change = () => withIds(loaded, (spec) => (ui ? renew : open)(spec));
  document.addEventListener("codepark:changed", change);
  await change();
}

show();
