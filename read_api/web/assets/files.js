// The files of a project and what is in them.

import { filePath, get } from "./api.js";
import { fill, h, plural, settled, size } from "./dom.js";
import { change } from "./place.js";

const MOST_LINES = 20_000;

/** Return the panel: a filter, the tree, the viewer. *show(project, past, query)* fills it. */
export function filesPanel(projectId) {
  const tree = h("nav", { class: "tree", "aria-label": "Files" });
  const viewer = h("section", { class: "viewer", "aria-label": "Content", tabindex: "-1" });
  const filter = h("input", { type: "search", id: "filter", placeholder: "Filter by path", autocomplete: "off" });
  const element = h(
    "div",
    { class: "files" },
    h("div", { class: "tree-box" }, h("label", { class: "hidden", for: "filter" }, "Filter the files by path"), filter, tree),
    viewer,
  );
  let files = [];
  let truncated = false;
  let open = null;
  let seen = ""; // what the viewer shows
  let asked = 0;

  filter.addEventListener("input", settled(() => draw(), 100));

  function draw() {
    const words = filter.value.trim().toLowerCase();
    const found = words ? files.filter((file) => file.path.toLowerCase().includes(words)) : files;
    const note = truncated ? h("p", { class: "hint" }, "Only the first 1,000 files are listed.") : null;
    if (!found.length) fill(tree, h("p", { class: "hint" }, words ? "No path contains this." : "There are no files."));
    else fill(tree, branch(found, "", words !== ""), note);
  }

  function branch(list, prefix, expanded) {
    const folders = new Map();
    const own = [];
    for (const file of list) {
      const rest = file.path.slice(prefix.length);
      const slash = rest.indexOf("/");
      if (slash < 0) own.push(file);
      else {
        const name = rest.slice(0, slash + 1);
        folders.set(name, [...(folders.get(name) ?? []), file]);
      }
    }
    const folderItems = [...folders].map(([name, inside]) => {
      const path = prefix + name;
      const isOpen = expanded || (open !== null && open.startsWith(path));
      return h("li", {}, h("details", { open: isOpen }, h("summary", {}, name), branch(inside, path, expanded)));
    });
    return h("ul", {}, folderItems, own.map(leaf));
  }

  function leaf(file) {
    const name = file.path.slice(file.path.lastIndexOf("/") + 1);
    const current = file.path === open;
    const button = h(
      "button",
      { type: "button", class: "leaf", "aria-current": current ? "true" : null, onclick: () => change({ file: file.path, line: null }) },
      name,
    );
    return h("li", {}, button);
  }

  async function view(past, line) {
    const number = ++asked;
    if (open === null) {
      seen = "";
      fill(viewer, h("p", { class: "hint center" }, files.length ? "Choose a file to see its content." : ""));
      return;
    }
    const known = files.find((file) => file.path === open);
    const mark = `${open} ${known?.version} ${line}`;
    if (known && mark === seen) return;
    try {
      const file = await get(filePath(projectId, open), { asOf: past?.asOf });
      if (number !== asked) return;
      seen = mark;
      fill(viewer, head(file), content(file, line));
      viewer.querySelector(".marked")?.scrollIntoView({ block: "center" });
    } catch (error) {
      if (number !== asked) return;
      seen = "";
      const text = error.status === 404 ? `${open} was not there ${past ? "then" : "or is gone"}.` : error.message;
      fill(viewer, h("p", { class: "hint center", role: "status" }, text));
    }
  }

  return {
    element,
    async show(project, past, query) {
      const chosen = query.get("file");
      const changed = chosen !== open;
      files = project.files;
      truncated = Boolean(project.filesTruncated);
      open = chosen;
      draw();
      await view(past, Number(query.get("line")) || null);
      if (changed && chosen && window.innerWidth < 720) viewer.scrollIntoView({ block: "start" });
    },
  };
}

function head(file) {
  return h(
    "header",
    {},
    h("h3", {}, file.path),
    h("p", { class: "facts" }, h("span", {}, `version ${file.version}`), h("span", {}, size(file.size)), file.language && h("span", {}, file.language)),
  );
}

function content(file, line) {
  if (file.content === null) return h("p", { class: "hint center" }, "The history does not carry the content of this file.");
  if (file.encoding === "base64") return h("p", { class: "hint center" }, "This file is not text.");
  const lines = file.content.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const shown = lines.slice(0, MOST_LINES);
  const code = h("code", {}, shown.map((text, index) => h("span", { class: index + 1 === line ? "line marked" : "line" }, text, "\n")));
  const cut = lines.length > shown.length ? h("p", { class: "hint" }, `${plural(lines.length - shown.length, "more line")}`) : null;
  return h("div", {}, h("pre", { class: "code", tabindex: "0", "aria-label": `Content of ${file.path}` }, code), cut);
}
