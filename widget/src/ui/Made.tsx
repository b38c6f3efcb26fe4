// A list in the sidebar of things that jobs make, with how far those are that are being made; and the form to ask for one.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { isUnderWay, type Making } from "../api/study";
import { useApp } from "../state/app";
import type { MadeList } from "../state/made";
import { Icon } from "./icons";

interface Item {
  id: string;
  title: string;
  making: Making | null;
}

interface Props<T extends Item> {
  list: MadeList<T>;
  icon: Parameters<typeof Icon>[0]["name"];
  testid: string;
  empty: string;
  current: string | undefined;
  onOpen: (item: T, opener: HTMLElement) => void;
  /** Behind the title, such as how many cards are due. */
  badge?: (item: T) => string | null;
}

export function MadeItems<T extends Item>({ list, icon, testid, empty, current, onOpen, badge }: Props<T>) {
  const items = list.items.value;
  return (
    <>
      {items.length === 0 && <p class="empty">{empty}</p>}
      <ul>
        {items.map((item) => {
          const extra = badge?.(item);
          return (
            <li key={item.id}>
              <button
                type="button"
                class="conversation"
                data-testid={testid}
                aria-current={current === item.id ? "true" : undefined}
                onClick={(event) => onOpen(item, event.currentTarget)}
              >
                <Icon name={icon} size={16} />
                <span>{item.title}</span>
                {extra && <span class="badge">{extra}</span>}
              </button>
              <MakingLine making={item.making} testid={`${testid}-making`} />
            </li>
          );
        })}
      </ul>
      {list.more.value && (
        <button type="button" class="quiet" onClick={() => void list.load(true)}>
          Show more
        </button>
      )}
    </>
  );
}

/** Only while something is unfinished; a cancelled job leaves what is there. */
function MakingLine({ making, testid }: { making: Making | null; testid: string }) {
  const { api, try: attempt } = useApp();
  if (!making || making.status === "succeeded") return null;
  const words = making.message ?? (isUnderWay(making) ? "Waiting for its turn" : "Not all of it was made.");
  return (
    <p class={making.status === "failed" ? "making bad" : "making"} data-testid={testid}>
      {words}
      {isUnderWay(making) && (
        <button
          type="button"
          class="quiet inline"
          onClick={() => void attempt(() => api.tool("cancel_job", { job_id: making.job_id }))}
        >
          Stop
        </button>
      )}
    </p>
  );
}

export function NewButton({ what, expanded, onClick }: { what: string; expanded: boolean; onClick: () => void }) {
  return (
    <button
      type="button"
      class="quiet"
      aria-label={`New ${what}`}
      aria-expanded={expanded}
      data-testid={`new-${what}`}
      onClick={onClick}
    >
      <Icon name="plus" size={18} /> New
    </button>
  );
}

interface FormProps {
  what: string;
  /** Further fields, by their names; what they hold goes to `onSubmit` with the material and the topic. */
  children?: ComponentChildren;
  onSubmit: (args: Record<string, unknown>, fields: FormData) => Promise<boolean>;
  onDone: () => void;
}

/** What is asked for: from which material, about what, and what else the kind needs. */
export function MakeForm({ what, children, onSubmit, onDone }: FormProps) {
  const { library } = useApp();
  const busy = useSignal(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(fields.get(name) ?? "").trim();
    const scope = text("material") ? { material_ids: [text("material")] } : { class_id: library.classId.value };
    const args = { ...scope, ...(text("topic") ? { topic: text("topic") } : {}) };
    busy.value = true;
    if (await onSubmit(args, fields)) onDone();
    busy.value = false;
  };
  return (
    <form class="text-form" data-testid={`make-${what}`} onSubmit={(event) => void submit(event)}>
      <label for={`lyceum-${what}-material`}>From</label>
      <select id={`lyceum-${what}-material`} name="material">
        <option value="">All material of this class</option>
        {(library.materials.value ?? []).map((one) => (
          <option key={one.id} value={one.id}>
            {one.title}
          </option>
        ))}
      </select>
      <label for={`lyceum-${what}-topic`}>About</label>
      <input
        id={`lyceum-${what}-topic`}
        name="topic"
        maxLength={300}
        placeholder="everything, or: chapter 3, pages 10-20, a subject"
        autocomplete="off"
      />
      {children}
      <div class="row end">
        <button type="button" class="quiet" onClick={onDone}>
          Cancel
        </button>
        <button type="submit" class="primary" disabled={busy.value} data-testid={`make-${what}-start`}>
          Make
        </button>
      </div>
    </form>
  );
}

interface NumberProps {
  id: string;
  name: string;
  label: string;
  value?: number;
  max: number;
}

export function NumberField({ id, name, label, value, max }: NumberProps) {
  return (
    <>
      <label for={id}>{label}</label>
      <input id={id} name={name} type="number" min={1} max={max} defaultValue={value === undefined ? "" : String(value)} />
    </>
  );
}
