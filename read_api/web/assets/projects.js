// The list of projects.

import { get } from "./api.js";
import { count, fill, h, plural, settled, time } from "./dom.js";
import { change } from "./place.js";

const PAGE = 24;

export async function openProjects(main, query) {
  document.title = "CodePark";
  let search = query.get("search") ?? "";
  let asked = 0;
  const list = h("ul", { class: "cards" });
  const state = h("p", { class: "state", role: "status" });
  const more = h("div", { class: "row" });
  const input = h("input", {
    type: "search",
    id: "search",
    placeholder: "Name or description",
    value: search,
    autocomplete: "off",
    oninput: settled((event) => change({ search: event.target.value.trim() || null }, { replace: true }), 200),
  });

  async function load(cursor = null) {
    const number = ++asked;
    const page = await get("/projects", { limit: PAGE, search, cursor });
    if (number !== asked) return; // another search came in between
    const items = page.items.map(card);
    if (cursor) list.append(...items);
    else fill(list, items);
    const shown = list.children.length;
    if (shown) state.textContent = page.nextCursor ? `${count(shown)} projects and more` : plural(shown, "project");
    else state.textContent = search ? "No project has these words." : "";
    if (!shown && !search) fill(list, empty());
    fill(more, page.nextCursor && h("button", { type: "button", onclick: () => load(page.nextCursor) }, "Show more"));
  }

  await load();
  fill(
    main,
    h(
      "div",
      { class: "page" },
      h("h1", {}, "Projects"),
      h("p", { class: "intro" }, "Open one to see it as it is, as it was at any moment, and as it changes."),
      h("div", { class: "search" }, h("label", { for: "search" }, "Search"), input),
      state,
      list,
      more,
    ),
  );
  return {
    update(next) {
      const wanted = next.get("search") ?? "";
      if (wanted === search) return;
      search = wanted;
      if (input.value.trim() !== wanted) input.value = wanted;
      load().catch((error) => (state.textContent = error.message));
    },
    stop() {
      asked += 1;
    },
  };
}

function card(project) {
  const insights = project.aiInsights;
  return h(
    "li",
    { class: "card" },
    h("h2", {}, h("a", { href: `#/projects/${project.id}` }, project.name)),
    h("p", { class: "about" }, project.description || "No description."),
    h(
      "p",
      { class: "facts" },
      project.visibility === "private" && h("span", { class: "badge" }, "private"),
      project.language && h("span", {}, project.language),
      h("span", {}, `by ${project.owner.name}`),
      insights.complexity > 0 && h("span", { title: "mean cyclomatic complexity of a function" }, `complexity ${insights.complexity}`),
      h("span", {}, "since ", time(project.createdAt, { dateOnly: true })),
    ),
  );
}

function empty() {
  return h(
    "li",
    { class: "card" },
    h("h2", {}, "There is no public project yet"),
    h("p", { class: "about" }, "Import the history of a git repository:"),
    h("pre", {}, "codepark import-git PATH --public --server URL --token TOKEN"),
    h("p", { class: "about" }, "Or use a token to see projects that are private."),
  );
}
