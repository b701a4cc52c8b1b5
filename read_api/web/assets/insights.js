// What was measured of a project's files.

import { get } from "./api.js";
import { count, fill, h, seen } from "./dom.js";
import { change } from "./place.js";

const FIRST = 3;
const QUIET = 1_500; // the page's own requests come first
const LONGEST_PAUSE = 60_000;

/**
 * Return the card. *show(project, past)* fills it from the project itself and, for now, a moment later in full;
 * a page that nobody looks at does not ask for that.
 */
export function insightsCard(projectId) {
  const body = h("div", {});
  const element = h("section", { class: "card", "aria-labelledby": "insights-title" }, h("h2", { id: "insights-title" }, "Insights"), body);
  let asked = 0;

  return {
    element,
    show(project, past) {
      const number = ++asked;
      draw(project, null);
      if (!past) complete(project, number);
    },
  };

  /** Draw in full what was measured last, and look again after *pause* while newer files are being measured. */
  async function complete(project, number, pause = QUIET) {
    await seen(pause);
    if (number !== asked || !element.isConnected) return;
    const found = await get(`/projects/${projectId}/insights`).catch(() => null);
    if (number !== asked || !found) return;
    draw(project, found);
    if (found.insightsPending) complete(project, number, Math.min(2 * pause, LONGEST_PAUSE));
  }

  function draw(project, found) {
    const complexity = found?.complexity ?? project.aiInsights.complexity;
    const suggestions = found ? found.suggestions.map(told) : project.aiInsights.suggestions.map((text) => [text]);
    fill(body, figures(complexity, found), list(suggestions), found?.models.length ? h("p", { class: "hint" }, `Measured by ${found.models.join(", ")}.`) : null, notes(found));
  }
}

function notes(found) {
  if (!found) return [];
  const texts = [];
  if (found.insightsPending) texts.push("Newer files are being measured.");
  if (found.filesLeftOut) texts.push(`${count(found.filesLeftOut)} files are left out, such as vendored and generated ones.`);
  return texts.map((text) => h("p", { class: "hint" }, text));
}

function figures(complexity, found) {
  const entry = (value, name, title) => h("div", { title }, h("dd", {}, value), h("dt", {}, name));
  return h(
    "dl",
    { class: "figures" },
    entry(complexity ? complexity.toFixed(2) : "–", "complexity", "mean cyclomatic complexity of a function"),
    found && entry(count(found.functions), "functions"),
    found && entry(count(found.lines), "lines"),
  );
}

function list(suggestions) {
  if (!suggestions.length) return h("p", { class: "hint" }, "No suggestions.");
  const items = suggestions.map((parts) => h("li", {}, parts));
  const rest = items.slice(FIRST);
  return [
    h("ul", { class: "suggestions" }, items.slice(0, FIRST)),
    rest.length ? h("details", {}, h("summary", {}, `${rest.length} more`), h("ul", { class: "suggestions" }, rest)) : null,
  ];
}

function told(item) {
  const go = () => change({ file: item.file, line: item.line, tab: null });
  const name = item.function ?? item.file;
  return [
    h("button", { type: "button", class: "link", onclick: go, title: `${item.file}, line ${item.line}` }, name),
    h("span", {}, ` ${item.reason}`),
    h("span", { class: "hint" }, item.file),
  ];
}
