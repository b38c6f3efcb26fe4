// A line to be copied: an address, a key, a command. The text can also be selected by hand.
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { useApp } from "../state/app";
import { Icon } from "./icons";

export function CopyLine({ text, label, testid }: { text: string; label: string; testid: string }) {
  const { notice } = useApp();
  const copied = useSignal(false);
  const line = useRef<HTMLPreElement>(null);
  const copy = async (): Promise<void> => {
    try {
      // Missing on plain-http addresses other than localhost.
      await navigator.clipboard.writeText(text);
      copied.value = true;
      setTimeout(() => (copied.value = false), 2500);
    } catch {
      if (line.current) getSelection()?.selectAllChildren(line.current);
      notice.value = { text: "This browser does not let the page copy. The text is selected: copy it with Ctrl+C or ⌘C." };
    }
  };
  return (
    <div class="copy-line">
      <pre ref={line} tabIndex={0} role="group" aria-label={label} data-testid={testid}>
        {text}
      </pre>
      <button type="button" class="icon-button" aria-label={`Copy: ${label}`} data-testid={`${testid}-copy`} onClick={() => void copy()}>
        <Icon name={copied.value ? "check" : "copy"} size={18} />
      </button>
      <span class="visually-hidden" role="status">
        {copied.value ? "Copied" : ""}
      </span>
    </div>
  );
}
