// Explains why something arrived or did not. This costs calls of Podio's API, so it
// runs only when a person asks for it.

import { ask } from "./ask.js";
import { element, tell } from "./dom.js";

const SIGNS = { true: ["✓", "holds", "good"], false: ["✗", "does not hold", "bad"], null: ["?", "not known", "dim"] };

export async function whyView(about) {
  const field = element("input", { id: "about", type: "text", autocomplete: "off", spellcheck: "false", placeholder: "item:4711" });
  field.value = about;
  const answer = element("div", { id: "answer", role: "status" });
  const question = async () => {
    answer.replaceChildren(element("p", { class: "dim" }, "asking …"));
    try {
      answer.replaceChildren(...lines(await ask("why", { post: field.value })));
    } catch (error) {
      answer.replaceChildren(element("p", { class: "bad" }, error.message));
    }
    return "";
  };
  const form = element("form", { class: "asks" }, element("label", { for: "about" }, "About"), field, element("button", { type: "submit" }, "Ask"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    question();
  });
  tell("told", "");
  return {
    title: "Why did it arrive, or not?",
    subtitle: "",
    key: about,
    focus: field,
    actions: [],
    content: [
      form,
      element("p", { class: "dim" }, "item:4711, hook:90211, item.update, or the URL of an item in Podio"),
      answer,
    ],
  };
}

function lines(why) {
  const isGood = why.links.every((link) => link.holds !== false);
  const links = why.links.map((link, at) => {
    const [sign, words, kind] = SIGNS[link.holds];
    return element("li", {}, element("span", { class: `sign ${kind}`, role: "img", "aria-label": words }, sign), element("strong", {}, why.labels[at]), element("span", {}, link.reason));
  });
  return [
    element("p", { class: `conclusion ${isGood ? "good" : "bad"}` }, why.conclusion.includes(why.subject) ? why.conclusion : `${why.subject}: ${why.conclusion}`),
    why.cure === null ? null : element("p", {}, element("strong", {}, "Try "), why.cure),
    element("ol", { class: "links" }, links),
    why.id === null ? null : element("p", {}, element("a", { href: `#event/${why.id}` }, "Show the event")),
  ].filter(Boolean);
}
