// Edits an event: shows its request as text, shows how the edited text differs from the
// request as received, and sends it.

import { ask, named } from "./ask.js";
import { $, element, tell } from "./dom.js";
import { saidOfReplay } from "./event.js";

const REVIEW_AFTER = 200; // milliseconds without a key

// Text that was typed and not sent, by event. It survives when a person leaves the view.
const drafts = new Map();

export async function editView(id) {
  const came = await ask(`events/${named(id)}/file`);
  const field = element("textarea", { id: "edited", spellcheck: "false", autocapitalize: "off", rows: "14", "aria-describedby": "edit-help" });
  field.value = drafts.get(id) ?? came.text;
  const changes = element("pre", { id: "changes", tabindex: "0", role: "region", "aria-label": "Changes" });
  const send = async () => {
    const sent = await ask(`events/${named(id)}/replay`, { post: field.value });
    drafts.delete(id);
    location.hash = `event/${id}`;
    return saidOfReplay(sent);
  };
  let typed;
  let asked = 0;
  const review = async () => {
    const mine = ++asked;
    const said = await ask(`events/${named(id)}/review`, { post: field.value }).catch((error) => ({ error: error.message, difference: [] }));
    if (mine === asked) showReview(changes, said);
  };
  field.addEventListener("input", () => {
    drafts.set(id, field.value);
    clearTimeout(typed);
    typed = setTimeout(review, REVIEW_AFTER);
  });
  const again = () => {
    drafts.delete(id);
    field.value = came.text;
    field.focus();
    return review();
  };
  review();
  return {
    title: "Edit and replay",
    subtitle: id,
    key: id,
    focus: field,
    actions: [
      { key: "Ctrl+Enter", words: "Send", id: "send", run: send },
      { words: "Undo changes", run: again },
      { words: "Back", href: `#event/${id}` },
    ],
    content: [
      element("p", { id: "edit-help", class: "dim" }, "The request line, headers, an empty line, the body. The event itself stays as it came; what you send is an attempt of it."),
      element("label", { for: "edited" }, "Request"),
      field,
      element("p", { id: "edit-error", class: "bad", role: "alert" }),
      element("h3", {}, "Changes"),
      changes,
    ],
  };
}

function showReview(changes, said) {
  tell("edit-error", said.error ?? "");
  const send = $("send");
  if (send !== null) send.disabled = said.error !== null;
  const kinds = { "- ": "del", "+ ": "ins" };
  const lines = said.difference.map(([sign, text]) => element(kinds[sign] ?? "span", {}, `${sign}${text}\n`));
  changes.replaceChildren(...(lines.length > 0 ? lines : ["Nothing was changed."]));
}
