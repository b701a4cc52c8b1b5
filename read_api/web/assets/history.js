// The event history of a project, the oldest first.

import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { eventItem } from "./events.js";

const PAGE = 50;
const TYPES = [
  "project.created", "project.updated", "collaborator.added", "collaborator.role_changed", "collaborator.removed",
  "file.written", "file.deleted", "commit.recorded", "review.opened", "review.commented", "review.decided",
  "review.closed", "build.queued", "build.status_changed", "suggestion.accepted", "suggestion.dismissed",
];

/** Return the panel. *show(past)* fills it with what happened until then. */
export function historyPanel(projectId) {
  const list = h("ol", { class: "events" });
  const more = h("div", { class: "row" });
  const type = h("select", { id: "type" }, h("option", { value: "" }, "all events"), TYPES.map((name) => h("option", { value: name }, name)));
  const element = h("div", {}, h("div", { class: "row choose" }, h("label", { for: "type" }, "Show"), type), list, more);
  let past = null;
  let asked = 0;

  async function load(after = null) {
    const number = ++asked;
    const page = await get(`/projects/${projectId}/history`, { limit: PAGE, type: type.value, after });
    if (number !== asked) return;
    const items = past ? page.items.filter(past.until) : page.items;
    const rows = items.map((event) => eventItem(event));
    if (after) list.append(...rows);
    else if (rows.length) fill(list, rows);
    else fill(list, h("li", { class: "hint" }, "Nothing has happened."));
    more.replaceChildren();
    if (page.nextCursor && items.length === page.items.length) {
      more.append(h("button", { type: "button", onclick: () => load(page.nextCursor) }, "Show more"));
    }
  }

  const failed = (error) => fill(list, h("li", { class: "error", role: "alert" }, error.message));
  type.addEventListener("change", () => load().catch(failed));
  return {
    element,
    async show(when) {
      past = when;
      await load();
    },
  };
}
