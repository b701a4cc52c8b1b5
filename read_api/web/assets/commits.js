// The commits of a project, the newest first.

import { get } from "./api.js";
import { fill, h, plural, time } from "./dom.js";
import { change } from "./place.js";

const PAGE = 30;
const STATUS = { A: "added", M: "changed", D: "deleted", T: "changed its type" };

/** Return the panel. *show(past, commits)* fills it: from the API for now, from the known commits for the past. */
export function commitsPanel(projectId) {
  const list = h("ol", { class: "commits" });
  const more = h("div", { class: "row" });
  const element = h("div", {}, list, more);
  let asked = 0;

  async function present(cursor = null) {
    const number = ++asked;
    const page = await get(`/projects/${projectId}/commits`, { limit: PAGE, cursor });
    if (number !== asked) return;
    add(page.items, cursor === null);
    more.replaceChildren();
    if (page.nextCursor) more.append(h("button", { type: "button", onclick: () => present(page.nextCursor) }, "Show more"));
  }

  function past(items, start = 0) {
    asked += 1;
    add(items.slice(start, start + PAGE), start === 0);
    more.replaceChildren();
    if (items.length > start + PAGE) more.append(h("button", { type: "button", onclick: () => past(items, start + PAGE) }, "Show more"));
  }

  function add(items, anew) {
    const rows = items.map((item) => row(projectId, item));
    if (!anew) list.append(...rows);
    else if (rows.length) fill(list, rows);
    else fill(list, h("li", { class: "hint" }, "There are no commits."));
  }

  return {
    element,
    async show(when, commits) {
      if (when === null) await present();
      else if (commits.complete) past(commits.items.filter((commit) => when.until(commit)).reverse());
      else {
        asked += 1;
        more.replaceChildren();
        fill(list, h("li", { class: "hint" }, "This history is too long to list the commits of the past here."));
      }
    },
  };
}

function row(projectId, commit) {
  const [title] = commit.message.split("\n");
  const body = h("div", { class: "changes" });
  const details = h(
    "details",
    { ontoggle: () => details.open && !body.firstChild && describe(projectId, commit, body) },
    h(
      "summary",
      {},
      h("span", { class: "what" }, title || "(no message)"),
      h("span", { class: "when" }, h("code", {}, commit.sha.slice(0, 7)), ` ${commit.author?.name ?? commit.authorName} · `, time(commit.authoredAt, { dateOnly: true })),
    ),
    body,
  );
  return h("li", { class: "event" }, details);
}

async function describe(projectId, commit, body) {
  body.append(h("p", { class: "hint" }, "Loading…"));
  try {
    const { message, changes } = await get(`/projects/${projectId}/commits/${commit.sha}`);
    const text = message.split("\n").slice(1).join("\n").trim();
    fill(
      body,
      text && h("p", { class: "message" }, text),
      h("p", { class: "hint" }, plural(changes.length, "path")),
      h("ul", {}, changes.map((item) => h("li", {}, h("span", { class: `status status-${item.status}`, title: STATUS[item.status] }, item.status), " ", h("code", {}, item.path)))),
      h("button", { type: "button", onclick: () => change({ commit: commit.sha, asOf: null, tab: null }) }, "See the project after this commit"),
    );
  } catch (error) {
    fill(body, h("p", { class: "error", role: "alert" }, error.message));
  }
}
