// How an event reads: a sentence for people, and its JSON for those who want to see it.

import { h, time } from "./dom.js";

const first = (text) => String(text ?? "").split("\n")[0];
const short = (sha) => String(sha ?? "").slice(0, 7);

const SENTENCES = {
  "project.created": (d) => `created as ${d.name}`,
  "project.updated": (d) => `now called ${d.name}, ${d.visibility}`,
  "project.deleted": () => "deleted",
  "collaborator.added": (d) => `${d.accountId} joined as ${d.role}`,
  "collaborator.role_changed": (d) => `${d.accountId} is ${d.role} now`,
  "collaborator.removed": (d) => `${d.accountId} left`,
  "file.written": (d) => d.path,
  "file.deleted": (d) => d.path,
  "commit.recorded": (d) => `${short(d.sha)} ${first(d.message)}`,
  "commit.part_recorded": (d) => `${short(d.sha)}, ${d.changes.length} paths`,
  "review.opened": (d) => d.title,
  "review.commented": (d) => first(d.text),
  "review.decided": (d) => d.decision.replace("_", " "),
  "review.closed": () => "",
  "build.queued": (d) => d.name,
  "build.status_changed": (d) => d.status,
};

/** One sentence about what happened. */
export function sentence(event) {
  if (event.data === null) return "cannot be read";
  return SENTENCES[event.type]?.(event.data) ?? "";
}

/** A list item that tells of an event and opens to its JSON. */
export function eventItem(event, { fresh = false } = {}) {
  const [kind] = event.type.split(".");
  const body = h("pre", { tabindex: "0" });
  const details = h(
    "details",
    { ontoggle: () => body.textContent || (body.textContent = JSON.stringify(event, null, 2)) },
    h(
      "summary",
      {},
      h("span", { class: `kind kind-${kind}` }, event.type),
      h("span", { class: "what" }, sentence(event)),
      h("span", { class: "when" }, `#${event.sequence} · `, time(event.occurredAt)),
    ),
    body,
  );
  return h("li", { class: fresh ? "event fresh" : "event" }, details);
}
