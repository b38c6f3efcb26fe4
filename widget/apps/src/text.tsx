// Texts of the material, drawn safely: whatever HTML stands in them is shown as text.
import { useLayoutEffect, useRef } from "preact/hooks";
import { renderBlock, splitBlocks } from "../../src/text/markdown";
import { draw } from "./maths";

/** A text of the material, Markdown with formulas. The gaps of a cloze stand as numbered lines. */
export function Text({ text }: { text: string }) {
  const node = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!node.current) return;
    try {
      const shown = text.replace(/\{\{(\d+)\}\}/g, "\\_\\_\\_\\_($1)");
      node.current.replaceChildren(...splitBlocks(shown).map(renderBlock));
      draw(node.current);
      // A link of a text would lead the frame away; the host does not open it either.
      for (const link of node.current.querySelectorAll("a")) link.replaceWith(...link.childNodes);
    } catch {
      node.current.textContent = text;
    }
  }, [text]);
  return <div class="text" ref={node} />;
}
