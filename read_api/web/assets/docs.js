// Shows the OpenAPI document with Swagger UI; nothing is asked of another host.

const dark = window.matchMedia("(prefers-color-scheme: dark)");

function follow() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

dark.addEventListener("change", follow);
follow();

const token = sessionStorage.getItem("codepark.token");

const ui = window.SwaggerUIBundle({
  url: "/schema/openapi.json",
  domNode: document.getElementById("docs"),
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  validatorUrl: null,
  onComplete: () => {
    if (token) ui.preauthorizeApiKey("bearer", token);
  },
});
