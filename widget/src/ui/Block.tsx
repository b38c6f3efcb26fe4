// One Markdown block as real nodes. Drawn again only when its source or the known sources change.
import { useLayoutEffect, useRef } from "preact/hooks";
import { memo } from "./memo";
import { drawMaths } from "../text/drawing";
import { renderBlock, wireMarkers } from "../text/markdown";
import { useApp } from "../state/app";

interface Props {
  source: string;
  labels: ReadonlyMap<number, string>;
}

export const Block = memo(function Block({ source, labels }: Props) {
  const { root } = useApp();
  const node = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!node.current) return;
    try {
      const fragment = renderBlock(source);
      wireMarkers(fragment, labels);
      node.current.replaceChildren(fragment);
      drawMaths(node.current, root);
    } catch {
      // One block that cannot be drawn must not take the page with it: its source is shown.
      node.current.textContent = source;
    }
  }, [source, labels]);
  return <div class="block" ref={node} />;
});
