// What was measured of a project's files.

import { get } from "./api.js";
import { count, fill, h } from "./dom.js";
import { change } from "./place.js";

const FIRST = 3;
const LOOK_AGAIN_MS = 2000;
const LONGEST_PAUSE_MS = 60000;

/** Return the card. *show(project, past)* fills it: in full for now, from the project itself for the past. */
export function insightsCard(projectId) {
  const body = h("div", {});
  const element = h("section", { class: "card", "aria-labelledby": "insights-title" }, h("h2", { id: "insights-title" }, "Insights"), body);
  let asked = 0;

  /** Show what was measured last, and look again after *pause* while newer files are being measured. */
  async function show(project, past, pause = LOOK_AGAIN_MS) {
    const number = ++asked;
    const found = past ? null : await get(`/projects/${projectId}/insights`);
    if (number !== asked) return;
    const complexity = found?.complexity ?? project.aiInsights.complexity;
    const suggestions = found ? found.suggestions.map(told) : project.aiInsights.suggestions.map((text) => [text]);
    fill(body, figures(complexity, found), list(suggestions), found?.models.length ? h("p", { class: "hint" }, `Measured by ${found.models.join(", ")}.`) : null, notes(found));
    if (found?.insightsPending) setTimeout(() => lookAgain(number, project, pause), pause);
  }

  function lookAgain(number, project, pause) {
    if (number !== asked || !element.isConnected) return;
    show(project, false, Math.min(2 * pause, LONGEST_PAUSE_MS)).catch(() => {}); // the last ones stay
  }

  return { element, show: (project, past) => show(project, past) };
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
