// Requests to the API, with the token of this tab.

const KEPT = "codepark.token";
const BASE = "/api/v1";

/** A refusal: its `problem` is the problem document (RFC 9457). */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

export const token = () => sessionStorage.getItem(KEPT);
export const keepToken = (value) => sessionStorage.setItem(KEPT, value);
export const dropToken = () => sessionStorage.removeItem(KEPT);

/** How often a page asks: all tabs of an address share one limit, so that many of them wait for their turn. */
const TRIES = { 429: 30, 503: 5 };

/**
 * Get a resource; *query* leaves out what is null or empty. A 429 or a 503 is tried again after its `Retry-After`,
 * and up to that long more, so that tabs which were refused together do not come again together.
 */
export async function get(path, query = {}, { signal, attempt = 1 } = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const search = new URLSearchParams(given).toString();
  const headers = token() ? { Authorization: `Bearer ${token()}` } : {};
  const answer = await fetch(BASE + path + (search ? `?${search}` : ""), { headers, signal });
  if (attempt < TRIES[answer.status]) {
    const seconds = Number(answer.headers.get("Retry-After")) || 1;
    await new Promise((resolve) => setTimeout(resolve, seconds * (1 + Math.random()) * 1000));
    return get(path, query, { signal, attempt: attempt + 1 });
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, body);
  return body;
}

/** The path of a file's resource: each step is encoded, the slashes stay. */
export function filePath(projectId, path) {
  return `/projects/${projectId}/files/${path.split("/").map(encodeURIComponent).join("/")}`;
}
