// The top of the page: the tunnel, its URL, the link and the local service.
// Also receives the stream of changes.

import { about, ask, TUNNEL } from "./ask.js";
import { $, element, tell } from "./dom.js";

const TUNNELS_APART = 5000; // milliseconds
const SAID = 2000; // milliseconds for which a button shows its result

function light(id, state, words) {
  $(id).className = `light ${state}`;
  tell(id, words);
}

function showStatus(status) {
  $("url").hidden = status.public_url === null;
  tell("url", status.public_url ?? "");
  $("copy").hidden = status.public_url === null;
  const link = status.link === "up" ? "link up" : `link ${status.link}${status.link_reason ? `: ${status.link_reason}` : ""}`;
  light("link", status.link, link);
  const reason = status.service_reason ? `: ${status.service_reason}` : "";
  light("service", status.target === null ? "off" : status.service, status.target === null ? "no local service" : `${status.target} ${status.service}${reason}`);
  tell("waiting", status.waiting > 0 ? `${status.waiting} waiting` : "");
}

// Shows the name of the tunnel; if there are several, a menu to switch between them.
function showTunnels(tunnels) {
  const now = TUNNEL ?? tunnels.find((tunnel) => tunnel.failed === null)?.name;
  const several = tunnels.length > 1;
  $("tunnel").hidden = several;
  $("tunnels").hidden = !several;
  if (!several) return tell("tunnel", tunnels[0]?.name ?? "");
  const key = JSON.stringify(tunnels.map((tunnel) => [tunnel.name, tunnel.failed, tunnel.status?.link, tunnel.status?.service, tunnel.status?.waiting]));
  if ($("tunnels").dataset.key === key) return;
  $("tunnels").dataset.key = key;
  const had = $("tunnels").contains(document.activeElement) ? document.activeElement.textContent : null;
  $("tunnels").replaceChildren(...tunnels.map((tunnel) => tunnelOf(tunnel, tunnel.name === now)));
  if (had !== null) [...$("tunnels").querySelectorAll("a")].find((link) => link.textContent === had)?.focus();
}

function tunnelOf({ name, status, failed }, isNow) {
  if (failed !== null) return element("span", { class: "light stopped", title: failed }, `${name}: ${failed}`);
  const query = new URLSearchParams({ tunnel: name });
  const state = status.service === "down" ? "down" : status.link;
  const words = status.waiting > 0 ? `${name} (${status.waiting} waiting)` : name;
  return element("a", { href: `/?${query}`, class: `light ${state}`, "aria-current": isNow ? "page" : null, title: `link ${status.link}` }, words);
}

async function readTunnels() {
  const tunnels = await ask("tunnels").catch(() => null);
  if (tunnels !== null) showTunnels(tunnels);
  return tunnels?.length ?? 1;
}

// Calls `onChange` after each change, one call at a time. Changes during a
// call cause one more call.
export function follow(onChange) {
  const changes = new EventSource(about("changes"));
  let [busy, again] = [false, false];
  const read = async () => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    do {
      again = false;
      await onChange();
    } while (again);
    busy = false;
  };
  changes.addEventListener("change", (event) => {
    showStatus(JSON.parse(event.data));
    read();
  });
  changes.addEventListener("error", () => light("link", "stopped", "podtap has ended, or this page's run is over"));
}

export async function startStatus() {
  $("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText($("url").textContent);
      tell("copy", "Copied");
    } catch {
      getSelection().selectAllChildren($("url"));
      tell("copy", "Selected: Ctrl+C copies it");
    }
    setTimeout(() => tell("copy", "Copy URL"), SAID);
  });
  if ((await readTunnels()) > 1) setInterval(() => document.hidden || readTunnels(), TUNNELS_APART);
}
