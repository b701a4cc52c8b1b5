// The card that shows a project's events as they come.

import { h } from "./dom.js";
import { eventItem } from "./events.js";
import { follow } from "./live.js";

const KEPT = 50;
const STATES = { live: "live", waiting: "reconnecting…", refused: "ended" };

/** Return the card; *start(after)* follows the events behind a position, and *onEvent* gets each. */
export function feedCard(projectId, onEvent) {
  const list = h("ol", { class: "events", role: "log", "aria-label": "New events" });
  const none = h("p", { class: "hint" }, "New events appear here as they happen.");
  const state = h("span", { class: "live", role: "status" }, "connecting…");
  const element = h("section", { class: "card", "aria-labelledby": "live-title" }, h("div", { class: "row spread" }, h("h2", { id: "live-title" }, "Events"), state), none, list);
  let stop = () => {};

  function take(event) {
    none.hidden = true;
    list.prepend(eventItem(event, { fresh: true }));
    while (list.children.length > KEPT) list.lastChild.remove();
    onEvent(event);
  }

  function told(name, reason = "") {
    state.textContent = STATES[name];
    state.title = reason;
    state.dataset.state = name;
  }

  return {
    element,
    start(after) {
      stop = follow(projectId, after, { onEvent: take, onState: told });
    },
    stop: () => stop(),
  };
}
