// Finding formulas in Markdown.
import type { TokenizerAndRendererExtension, Tokens } from "marked";

const escapeAttribute = (text: string): string =>
  text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** `$a$` by Pandoc's rule: no blank inside the dollars, no digit after (and no backtick), so "$5 and $10" stays money. */
const INLINE_DOLLAR = /^\$(?![\s$])((?:\\[^\n]|[^\\$\n`])*?)(?<!\s)\$(?!\d)/;
const INLINE_PAREN = /^\\\(([\s\S]+?)\\\)/;
const DISPLAY_INLINE = /^\$\$((?:\\[^]|[^\\$])+?)\$\$/;
const DISPLAY_BLOCK = /^ {0,3}(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\])[ \t]*(?:\n+|$)/;
const ENVIRONMENT = /^ {0,3}(\\begin\{(equation|align|gather|multline|alignat)(\*?)\}[\s\S]+?\\end\{\2\3\})[ \t]*(?:\n+|$)/;

function token(type: string, raw: string, tex: string, display: boolean) {
  return { type, raw, tex: tex.trim(), display };
}

const renderer = (t: Tokens.Generic): string => {
  const tex = escapeAttribute(String(t["tex"]));
  const tag = t.type === "mathsBlock" ? "div" : "span";
  return `<${tag} data-tex="${tex}"${t["display"] ? ' data-display=""' : ""}>${tex}</${tag}>`;
};

export const mathsExtensions: TokenizerAndRendererExtension[] = [
  {
    name: "mathsBlock",
    level: "block",
    start: (src) => src.match(/(?:^|\n) {0,3}(?:\$\$|\\\[|\\begin\{)/)?.index,
    tokenizer(src) {
      const found = DISPLAY_BLOCK.exec(src);
      if (found) return token("mathsBlock", found[0], found[1] ?? found[2] ?? "", true);
      const environment = ENVIRONMENT.exec(src);
      if (environment) return token("mathsBlock", environment[0], environment[1] ?? "", true);
      return undefined;
    },
    renderer,
  },
  {
    name: "mathsInline",
    level: "inline",
    start: (src) => src.match(/\$|\\\(|\\\[/)?.index,
    tokenizer(src) {
      const display = DISPLAY_INLINE.exec(src) ?? /^\\\[([\s\S]+?)\\\]/.exec(src);
      if (display) return token("mathsInline", display[0], display[1] ?? "", true);
      const inline = INLINE_DOLLAR.exec(src) ?? INLINE_PAREN.exec(src);
      if (inline?.[1]) return token("mathsInline", inline[0], inline[1], false);
      return undefined;
    },
    renderer,
  },
];

const SPAN = /\$(?![\s$])(?:\\[^\n]|[^\\$\n`])*?(?<!\s)\$(?!\d)|\\\(.+?\\\)/g;

/** A blank ends the command only before a letter: one before the closing dollar would end the formula instead. */
function withoutBar(_bar: string, slash: string, letter: string | undefined): string {
  const command = slash ? "\\Vert" : "\\vert";
  return letter ? `${command} ${letter}` : command;
}

/**
 * Bars inside formulas would end a table cell. In lines that could be table rows they become `\vert` and `\Vert`, which
 * mean the same to TeX. Fenced code is left alone, and so are arrays, whose column rules are bars.
 */
export function protectTableMaths(markdown: string): string {
  let fence: string | null = null;
  return markdown
    .split("\n")
    .map((line) => {
      const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
      if (mark && fence === null) fence = mark;
      else if (mark && fence !== null && mark[0] === fence[0] && mark.length >= fence.length) fence = null;
      else if (fence === null && line.includes("|") && line.replace(SPAN, "").includes("|")) {
        return line.replace(SPAN, (span) =>
          span.includes("\\begin{") ? span : span.replace(/(\\?)\|([a-z])?/gi, withoutBar),
        );
      }
      return line;
    })
    .join("\n");
}
