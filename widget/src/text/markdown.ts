// Markdown to safe nodes, block by block. Raw HTML in an answer is shown as text; DOMPurify is the second lock.
import DOMPurify from "dompurify";
import { Lexer, Marked, type TokenizerAndRendererExtension } from "marked";
import { mathsExtensions, protectTableMaths } from "./maths";

const escapeHtml = (text: string): string =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

/** `[3]` or `[1, 2]`: source markers. Whether the number is known is decided when the nodes are wired. */
const citationMarker: TokenizerAndRendererExtension = {
  name: "citationMarker",
  level: "inline",
  start: (src) => src.match(/\[\d/)?.index,
  tokenizer(src) {
    const found = /^\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?!\()/.exec(src);
    if (!found) return undefined;
    return { type: "citationMarker", raw: found[0], numbers: (found[1] ?? "").split(/\s*[,;]\s*/) };
  },
  renderer: (token) =>
    (token["numbers"] as string[]).map((number) => `<span data-cite="${number}">[${number}]</span>`).join(""),
};

const marked = new Marked({
  gfm: true,
  async: false,
  extensions: [],
  renderer: {
    html: ({ text }) => escapeHtml(text),
    // An image of an answer would be fetched from wherever the text says: its words are enough.
    image: ({ text, title }) => escapeHtml(text || title || "image"),
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  },
});
marked.use({ extensions: [...mathsExtensions, citationMarker] });

const ALLOWED_TAGS = [
  ...["p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "del", "code", "pre", "blockquote"],
  ...["ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "a", "span", "div", "sub", "sup"],
];
const ALLOWED_ATTR = ["href", "title", "align", "start", "data-tex", "data-display", "data-cite"];

/** The blocks of a text by their source. Joined they hold all of it; equal source means equal rendering. */
export function splitBlocks(text: string): string[] {
  const source = protectTableMaths(text.replace(/\r\n?/g, "\n"));
  try {
    const tokens = new Lexer(marked.defaults).blockTokens(source, []);
    return tokens.filter((token) => token.type !== "space").map((token) => token.raw);
  } catch {
    // marked refuses some endless constructions: the text is then one block, shown as it is.
    return [source];
  }
}

/** The nodes of one block: no script, no style, no remote content, links only to http(s) and mail. */
export function renderBlock(source: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(marked.parse(source) as string, {
    ALLOWED_TAGS,
    ALLOWED_ATTR,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
    // Every attribute is held against that pattern unless named here.
    ADD_URI_SAFE_ATTR: ALLOWED_ATTR.filter((name) => name !== "href"),
    RETURN_DOM_FRAGMENT: true,
  });
  for (const link of fragment.querySelectorAll("a")) {
    if (!link.hasAttribute("href")) continue;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  }
  for (const table of fragment.querySelectorAll("table")) makeScrollable(table, "Table");
  for (const code of fragment.querySelectorAll("pre")) makeFocusable(code, "Code");
  return fragment;
}

function makeScrollable(table: Element, label: string): void {
  const frame = document.createElement("div");
  frame.className = "scroll";
  table.replaceWith(frame);
  frame.append(table);
  makeFocusable(frame, label);
}

/** What scrolls sideways must be reachable by keyboard. */
function makeFocusable(element: HTMLElement, label: string): void {
  element.tabIndex = 0;
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", label);
}

/** Turns the markers of known sources into buttons; the others stay plain text. Labels go to screen readers. */
export function wireMarkers(node: ParentNode, labels: ReadonlyMap<number, string>): void {
  for (const marker of node.querySelectorAll<HTMLElement>("[data-cite]")) {
    const number = Number(marker.dataset["cite"]);
    const label = labels.get(number);
    if (label === undefined) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "cite";
    button.dataset["cite"] = String(number);
    button.dataset["testid"] = "citation";
    button.textContent = String(number);
    button.setAttribute("aria-label", `Source ${number}: ${label}`);
    marker.replaceWith(button);
  }
}
