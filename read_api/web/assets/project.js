// A project's page: what it is, its past, its files, commits and history, its insights, its events as they come.

import { get } from "./api.js";
import { commitsPanel } from "./commits.js";
import { fill, h, plural, seen, settled, time } from "./dom.js";
import { feedCard } from "./feed.js";
import { filesPanel } from "./files.js";
import { historyPanel } from "./history.js";
import { insightsCard } from "./insights.js";
import { askedPast, Commits, momentOf, timeline } from "./past.js";
import { change } from "./place.js";

const PAUSE = 4_000; // between two times that the page is loaded again for new events
const TABS = { files: "Files", commits: "Commits", history: "History" };

export async function openProject(main, id, query) {
  const commits = new Commits(id);
  const loaded = commits.load();
  loaded.catch(() => {}); // the project's own request says what is wrong
  let project = await get(`/projects/${id}`);
  let fresh = true; // the project that was just loaded is that of now
  if (query.get("commit")) await loaded;

  const head = h("header", { class: "head" });
  const control = timeline(project, commits);
  const panels = { files: filesPanel(id), commits: commitsPanel(id), history: historyPanel(id) };
  const insights = insightsCard(id);
  let committed = false;
  const refresh = settled(async () => {
    if (committed) await commits.load().catch(() => {});
    committed = false;
    await seen(0);
    await show(last, { again: true });
  }, 400, PAUSE);
  const feed = feedCard(id, (event) => {
    committed ||= event.type === "commit.recorded";
    refresh();
  });
  const tabs = h("nav", { class: "tabs", "aria-label": "Parts of the project" });
  const panel = h("div", { class: "panel" });
  let last = query;
  let asked = 0;
  let place = ""; // the past and the tab that are shown
  let ended = false;

  async function show(next, { again = false } = {}) {
    const number = ++asked;
    last = next;
    try {
      if (next.get("commit") || next.get("asOf")?.startsWith("authored:")) await loaded;
      const past = askedPast(next, commits);
      const current = `${past?.asOf ?? ""}`;
      const moved = again || !place.startsWith(`${current} `);
      if (moved && !(fresh && past === null)) project = await get(`/projects/${id}`, { asOf: past?.asOf });
      fresh = false;
      if (number !== asked || ended) return;
      await draw(past, next, current, again);
    } catch (error) {
      if (number === asked && !ended) refused(error, next);
    }
  }

  async function draw(past, next, current, again) {
    const tab = TABS[next.get("tab")] ? next.get("tab") : "files";
    const moved = again || !place.startsWith(`${current} `);
    const turned = moved || place !== `${current} ${tab}`;
    place = `${current} ${tab}`;
    control.show(past);
    if (moved) fill(head, ...describe(project));
    drawTabs(tab);
    if (panel.firstChild !== panels[tab].element) fill(panel, panels[tab].element);
    const work = [];
    if (tab === "files") work.push(panels.files.show(project, past, next));
    else if (turned) work.push(panels[tab].show(past, commits));
    if (moved) insights.show(project, past);
    await Promise.all(work);
  }

  function refused(error, next) {
    place = "";
    control.show(next.get("asOf") ? { asOf: next.get("asOf"), until: () => true, moment: momentOf(next.get("asOf")) || undefined } : null);
    const text = error.status === 404 && next.get("asOf") ? "The project was not there yet." : error.message;
    fill(panel, h("p", { class: "hint center", role: "alert" }, text));
  }

  function drawTabs(current) {
    const tab = ([name, title]) =>
      h("button", { type: "button", "aria-current": name === current ? "true" : null, onclick: () => change({ tab: name === "files" ? null : name }) }, title);
    fill(tabs, Object.entries(TABS).map(tab));
  }

  document.title = `${project.name} · CodePark`;
  fill(
    main,
    h(
      "div",
      { class: "page" },
      h("p", { class: "crumbs" }, h("a", { href: "#/" }, "Projects"), " / "),
      head,
      control.element,
      h("div", { class: "columns" }, h("div", { class: "left" }, tabs, panel), h("aside", { "aria-label": "Insights and events" }, insights.element, feed.element)),
    ),
  );
  await show(query);
  loaded.then(() => {
    if (ended) return;
    feed.start(commits.position);
    show(last);
  }, () => {});
  return {
    update: (next) => show(next),
    stop() {
      ended = true;
      refresh.cancel();
      feed.stop();
    },
  };
}

function describe(project) {
  return [
    h("h1", {}, project.name, " ", h("span", { class: "badge" }, project.visibility)),
    project.description && h("p", { class: "lead" }, project.description),
    h(
      "p",
      { class: "facts" },
      h("span", {}, `by ${project.owner.name}`),
      project.collaborators.length ? h("span", { title: project.collaborators.map((c) => `${c.name} (${c.role})`).join(", ") }, plural(project.collaborators.length, "collaborator")) : null,
      project.language && h("span", {}, project.language),
      h("span", {}, `${plural(project.files.length, "file")}${project.filesTruncated ? " and more" : ""}`),
      h("span", {}, `version ${project.version}`),
      h("span", {}, "since ", time(project.createdAt, { dateOnly: true })),
    ),
  ];
}
