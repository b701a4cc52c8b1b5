// The first three requests: register, sign in, create a project.

const TOKEN = "codepark.token";
const output = document.getElementById("begin-answer");

for (const place of document.querySelectorAll(".origin")) place.textContent = location.origin;

/** Send a body, show the answer, and return it; null where it is a refusal. */
async function send(path, body) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const shown = await answer.json();
  output.hidden = false;
  output.textContent = `${answer.status} ${answer.statusText}\n${JSON.stringify(shown, null, 2)}`;
  return answer.ok ? shown : null;
}

function step(name, run) {
  const form = document.getElementById(`step-${name}`);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(Object.fromEntries(new FormData(form)));
  });
  return form;
}

const registration = step("register", (person) => send("/api/v1/auth/register", person));

step("login", async () => {
  sessionStorage.removeItem(TOKEN);
  const { email, password } = Object.fromEntries(new FormData(registration));
  const tokens = await send("/api/v1/auth/login", { email, password });
  if (tokens?.accessToken) {
    sessionStorage.setItem(TOKEN, tokens.accessToken);
    document.dispatchEvent(new Event("codepark:changed"));
  }
});

step("project", async (project) => {
  if (await send("/api/v1/projects", project)) document.dispatchEvent(new Event("codepark:changed"));
});
