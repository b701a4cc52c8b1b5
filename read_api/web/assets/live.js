// The live channel of a project: every event once, in order; a lost connection resumes behind the last one seen.

import { token } from "./api.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;

/**
 * Follow the events of a project behind the position *after*.
 * *onEvent* gets each event, *onState* "live", "waiting" or "refused" with a reason. Returns a function that stops.
 */
export function follow(projectId, after, { onEvent, onState }) {
  let socket = null;
  let timer = 0;
  let wait = FIRST_WAIT;
  let ended = false;

  function connect() {
    const query = new URLSearchParams({ projects: projectId });
    if (after) query.set("after", after);
    if (token()) query.set("token", token());
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}/ws/events?${query}`);
    socket.addEventListener("open", () => {
      onState("live");
    });
    socket.addEventListener("message", (message) => take(JSON.parse(message.data)));
    socket.addEventListener("close", lost);
  }

  function take(event) {
    if (event.type === "drain") return; // the server stops; the socket closes next
    if (event.type === "error") {
      ended = event.problem.status < 500 && event.problem.status !== 429; // a limit: later there is room
      if (ended) onState("refused", event.problem.detail);
      return;
    }
    wait = FIRST_WAIT;
    after = event.position;
    onEvent(event);
  }

  function lost() {
    if (ended || document.hidden) return;
    onState("waiting");
    timer = setTimeout(connect, wait * (0.5 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }

  /** A page that nobody looks at holds no connection: it resumes where it was when it is looked at again. */
  function looked() {
    clearTimeout(timer);
    if (document.hidden) socket?.close();
    else if (socket === null || socket.readyState >= WebSocket.CLOSING) connect();
  }

  document.addEventListener("visibilitychange", looked);
  looked();
  return () => {
    document.removeEventListener("visibilitychange", looked);
    ended = true;
    clearTimeout(timer);
    socket?.close();
  };
}
