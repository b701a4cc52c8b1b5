// The pages behind the hash: #/ lists projects, #/projects/{id} shows one.

import { dropToken, get, keepToken, token } from "./api.js";
import { fill, h } from "./dom.js";
import { place } from "./place.js";
import { openProject } from "./project.js";
import { openProjects } from "./projects.js";

const main = document.getElementById("main");
let shown = null; // { key, update(query), stop() }

async function route() {
  const { path, query } = place();
  const project = /^\/projects\/([A-Za-z0-9:_-]+)$/.exec(path);
  if (!project && path !== "/") {
    if (path.startsWith("/")) fail("This page does not exist.");
    return; // the link that skips to the content
  }
  const key = project ? project[1] : "";
  if (shown?.key === key) {
    shown.update(query);
    return;
  }
  shown?.stop();
  let missed = null; // the address may change while the page is being opened
  const page = { key, update: (next) => (missed = next), stop() {} };
  shown = page;
  fill(main, h("p", { class: "wait" }, "Loading…"));
  window.scrollTo(0, 0);
  try {
    const opened = project ? await openProject(main, project[1], query) : await openProjects(main, query);
    if (shown !== page) {
      opened.stop();
      return;
    }
    Object.assign(page, opened);
    if (missed) page.update(missed);
  } catch (error) {
    if (shown === page) fail(error.message);
  }
}

function fail(text) {
  shown = null;
  document.title = "CodePark";
  const hint = token() ? "Your token may have expired." : "If it is private, use a token that may see it.";
  fill(
    main,
    h("div", { class: "wait", role: "alert" }, h("p", {}, text), h("p", {}, hint), h("a", { href: "#/" }, "All projects")),
  );
}

function reopen() {
  shown?.stop();
  shown = null;
  route();
}

function signing() {
  const button = document.getElementById("sign");
  const dialog = document.getElementById("token-dialog");
  const input = document.getElementById("token");
  const error = document.getElementById("token-error");
  const label = () => (button.textContent = token() ? "Forget the token" : "Use a token");
  button.addEventListener("click", () => {
    if (token()) {
      dropToken();
      label();
      reopen();
      return;
    }
    error.hidden = true;
    dialog.showModal();
    input.focus();
  });
  document.getElementById("token-cancel").addEventListener("click", () => dialog.close());
  document.getElementById("token-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    keepToken(input.value.trim());
    try {
      await get("/projects", { limit: 1 });
    } catch (refused) {
      dropToken();
      error.textContent = refused.message;
      error.hidden = false;
      return;
    }
    input.value = "";
    dialog.close();
    label();
    reopen();
  });
  label();
}

// An address without a hash, such as /projects/{id}, is served with this page: show the one with a hash.
if (location.pathname !== "/") history.replaceState(null, "", `/#${location.pathname}${location.search}`);

window.addEventListener("hashchange", route);
window.addEventListener("popstate", route);
signing();
route();
