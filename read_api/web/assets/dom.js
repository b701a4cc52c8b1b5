// Small helpers: elements without markup in strings, so that no content is ever taken for HTML.

/** Make an element: h("a", { href: "/", class: "x", onclick: f }, "text", otherElement). */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && typeof value !== "string") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Put *children* in the place of what is in *parent*. */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return parent;
}

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const number = new Intl.NumberFormat();

/** A time element; its title tells the exact moment. */
export function time(text, { dateOnly = false } = {}) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return h("span", {}, text);
  return h("time", { datetime: text, title: moment.format(date) }, (dateOnly ? day : moment).format(date));
}

export const count = (value) => number.format(value);

export function plural(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} kB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/** Wait until *milliseconds* have passed and somebody looks at the page. */
export async function seen(milliseconds) {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  while (document.hidden) await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
}

/** Call *run* once *milliseconds* have passed without another call, and at least *pause* since it ran last. */
export function settled(run, milliseconds, pause = 0) {
  let timer = 0;
  let last = -pause;
  const call = (...values) => {
    clearTimeout(timer);
    const wait = Math.max(milliseconds, last + pause - performance.now());
    timer = setTimeout(() => {
      last = performance.now();
      run(...values);
    }, wait);
  };
  call.cancel = () => clearTimeout(timer);
  return call;
}
