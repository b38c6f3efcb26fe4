// What stands over the chat while it is open: a note, a test, cards, a document. The focus goes to its title.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useApp } from "../state/app";
import type { PaneKind } from "../state/pane";
import { Icon } from "./icons";

interface Props {
  kind: PaneKind;
  title: string;
  actions?: ComponentChildren;
  children: ComponentChildren;
  /** While something is edited that Escape must not throw away. */
  keepsEscape?: boolean;
  /** When something inside takes the focus. */
  focusInside?: boolean;
}

const NAMES: Record<PaneKind, string> = {
  note: "Note",
  test: "Test",
  cards: "Cards",
  document: "Document",
  connections: "Connections",
};

export function Pane({ kind, title, actions, children, keepsEscape = false, focusInside = false }: Props) {
  const { pane } = useApp();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!focusInside) heading.current?.focus();
  }, []);
  return (
    <main
      class="pane"
      aria-label={NAMES[kind]}
      data-testid={`${kind}-pane`}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !keepsEscape) pane.close();
      }}
    >
      <header>
        <button type="button" class="quiet" data-testid={`${kind}-close`} onClick={() => pane.close()}>
          <Icon name="left" size={18} /> Back to the chat
        </button>
        <span class="actions">{actions}</span>
      </header>
      <div class="pane-body" role="group" aria-label={`The ${NAMES[kind].toLowerCase()}`} tabIndex={0}>
        <h2 tabIndex={-1} ref={heading}>
          {title}
        </h2>
        {children}
      </div>
    </main>
  );
}

export function RemoveButton({ what, onClick }: { what: string; onClick: () => void }) {
  return (
    <button type="button" class="icon-button small" aria-label={`Remove ${what}`} title="Remove" onClick={onClick}>
      <Icon name="trash" size={16} />
    </button>
  );
}
