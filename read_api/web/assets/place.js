// The address of what is shown: a path and its parameters, behind the hash.

/** Return the path and the parameters. */
export function place() {
  const [path, search = ""] = location.hash.slice(1).split("?");
  return { path: path || "/", query: new URLSearchParams(search) };
}

/** Go to another state of the same page: null takes a parameter away. */
export function change(parameters, { replace = false } = {}) {
  const { path, query } = place();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  const url = `#${path}${text ? `?${text}` : ""}`;
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  window.dispatchEvent(new Event("popstate"));
}
