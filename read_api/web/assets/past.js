// Where in its history a project is looked at: now, after one of its commits, or at a moment.

import { get } from "./api.js";
import { count, fill, h, settled, time } from "./dom.js";
import { change } from "./place.js";

const MOST_COMMITS = 3_000; // beyond, the slider goes by time
const STEPS = 1_000;
const AUTHORED = "authored:";

/** The commits of a project, oldest first, each with the position behind it and all that it did to files. */
export class Commits {
  constructor(projectId) {
    this.projectId = projectId;
    this.items = [];
    this.complete = false;
    this.position = null; // how far the history was: what comes behind it is new to this page
  }

  /** Load the commits behind those that are known, which is one request unless they are very many. */
  async load() {
    const first = (this.items.at(-1)?.number ?? 0) + 1;
    const page = await get(`/projects/${this.projectId}/timeline`, { first, limit: MOST_COMMITS });
    for (const item of page.items) {
      if (item.number > (this.items.at(-1)?.number ?? 0)) this.items.push({ ...item, message: item.title });
    }
    this.position = page.position;
    this.complete = page.next === null && this.items.length <= MOST_COMMITS;
  }

  find(sha) {
    return this.items.findIndex((item) => item.sha === sha);
  }

  /** Return the index of the last commit that, with all before it, was authored by *moment*; -1 where none was. */
  authoredBy(moment) {
    const later = this.items.findIndex((item) => Date.parse(item.authoredAt) > moment);
    return later < 0 ? this.items.length - 1 : later - 1;
  }
}

/**
 * Find out what the page's address asks for: null for now, else { asOf, until, label, commit }.
 * *until(event)* tells whether an event belongs to that past.
 */
export function askedPast(query, commits) {
  const sha = query.get("commit");
  const asOf = query.get("asOf");
  if (sha) {
    const index = commits.find(sha);
    if (index < 0) throw new Error(`There is no commit ${sha} in this project's history.`);
    const commit = commits.items[index];
    const until = (event) => event.sequence <= commit.sequence;
    return { asOf: commit.position, until, index, commit };
  }
  if (!asOf) return null;
  const moment = momentOf(asOf);
  if (asOf.startsWith(AUTHORED)) {
    const index = commits.authoredBy(moment);
    const end = commits.items[index]?.sequence ?? 0;
    return { asOf, until: (event) => event.sequence <= end, index, moment };
  }
  if (Number.isNaN(moment)) return { asOf, until: () => true, index: -1 };
  return { asOf, until: (event) => Date.parse(event.occurredAt ?? event.recordedAt) <= moment, index: -1, moment };
}

/** The moment of an address's `asOf`, by the server's clock or by that of the commits' authors; NaN for a position. */
export function momentOf(asOf) {
  return Date.parse(asOf.startsWith(AUTHORED) ? asOf.slice(AUTHORED.length) : asOf);
}

/** The control: a slider over the commits (or over time), steps, a moment, and the way back to now. */
export function timeline(project, commits) {
  const byCommit = () => commits.complete && commits.items.length > 1;
  const start = Date.parse(project.createdAt);
  const opened = Date.now();
  const max = () => (byCommit() ? commits.items.length : STEPS);

  const slider = h("input", { type: "range", id: "past", min: "0", step: "1" });
  const output = h("output", { for: "past", class: "at" });
  const moment = h("input", { type: "datetime-local", id: "moment", step: "1" });
  const now = h("button", { type: "button", onclick: () => change({ commit: null, asOf: null }) }, "Now");
  const back = h("button", { type: "button", "aria-label": "One step back", onclick: () => step(-1) }, "‹");
  const on = h("button", { type: "button", "aria-label": "One step on", onclick: () => step(1) }, "›");

  const go = settled((value) => {
    if (value >= max()) change({ commit: null, asOf: null });
    else if (byCommit()) change({ commit: commits.items[value].sha, asOf: null });
    else change({ commit: null, asOf: new Date(start + ((opened - start) * value) / STEPS).toISOString() });
  }, 180);

  function step(by) {
    slider.value = String(Math.min(Math.max(Number(slider.value) + by, 0), max()));
    say(Number(slider.value));
    go(Number(slider.value));
  }

  function say(value) {
    if (value >= max()) fill(output, "Now");
    else if (byCommit()) fill(output, ...told(commits.items[value], value));
    else fill(output, time(new Date(start + ((opened - start) * value) / STEPS).toISOString()));
    slider.setAttribute("aria-valuetext", output.textContent);
    back.disabled = value <= 0;
    on.disabled = value >= max();
  }

  const told = (commit, index) => [
    h("b", {}, `Commit ${count(index + 1)} of ${count(commits.items.length)}`),
    h("span", {}, commit.message.split("\n")[0]),
    time(commit.authoredAt, { dateOnly: true }),
  ];

  slider.addEventListener("input", () => {
    say(Number(slider.value));
    go(Number(slider.value));
  });
  moment.addEventListener("change", () => {
    if (!moment.value) return;
    const time = new Date(moment.value).toISOString();
    // An imported commit is as old as its author's clock says, its event as old as the import.
    change({ commit: null, asOf: commits.items.length ? `${AUTHORED}${time}` : time });
  });

  /** Show where *past* is. */
  function show(past) {
    slider.max = String(max());
    let value = max();
    if (past?.commit && byCommit()) value = past.index;
    else if (past?.moment && !byCommit()) value = Math.round(((past.moment - start) * STEPS) / (opened - start || 1));
    else if (past?.moment) value = commits.items.filter((commit) => past.until(commit)).length - 1;
    slider.value = String(Math.max(value, 0));
    say(Number(slider.value));
    if (past?.moment) fill(output, time(new Date(past.moment).toISOString()));
    else if (past && !past.commit) fill(output, `Position ${past.asOf}`);
    moment.value = past?.moment ? local(past.moment) : "";
    now.disabled = past === null;
    element.classList.toggle("in-past", past !== null);
  }

  const element = h(
    "section",
    { class: "past", "aria-label": "Point in time" },
    h(
      "div",
      { class: "row spread" },
      h("label", { for: "past" }, "As of"),
      output,
      h("div", { class: "row moment" }, h("label", { for: "moment" }, "or the moment"), moment),
      h("div", { class: "row steps" }, back, on, now),
    ),
    slider,
  );
  return { element, show };
}

/** The value of a datetime-local input for a moment, in the reader's own time zone. */
function local(moment) {
  const date = new Date(moment);
  return new Date(moment - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
