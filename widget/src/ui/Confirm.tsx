// A question that needs a yes: the browser's own modal dialog brings focus trap and Escape.
import { useEffect, useRef } from "preact/hooks";

interface Props {
  title: string;
  text: string;
  action: string;
  onClose: (confirmed: boolean) => void;
}

export function Confirm({ title, text, action, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="lyceum-confirm" onCancel={() => onClose(false)}>
      <h2 id="lyceum-confirm">{title}</h2>
      <p>{text}</p>
      <div class="row end">
        <button type="button" class="quiet" onClick={() => onClose(false)}>
          Keep it
        </button>
        <button type="button" class="danger" data-testid="confirm" onClick={() => onClose(true)}>
          {action}
        </button>
      </div>
    </dialog>
  );
}
