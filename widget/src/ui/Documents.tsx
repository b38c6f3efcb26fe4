// Cheat sheets, study guides and other documents: their list, and the open one with sources and files to take away.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { type DocumentDetails, type DocumentKind, isUnderWay } from "../api/study";
import type { Citation } from "../api/types";
import { useApp } from "../state/app";
import { splitBlocks } from "../text/markdown";
import { Block } from "./Block";
import { Icon } from "./icons";
import { MadeItems, MakeForm, NewButton } from "./Made";
import { Pane, RemoveButton } from "./Pane";
import { Sources } from "./Sources";

const KINDS: Record<DocumentKind, string> = {
  cheat_sheet: "Cheat sheet",
  study_guide: "Study guide",
  summary: "Summary",
  past_paper_answers: "Answers to a past paper",
  quiz_sheet: "Sheet of questions",
};
const FORMATS: [string, string][] = [
  ["pdf", "PDF"],
  ["docx", "Word"],
  ["html", "Web page"],
  ["md", "Markdown"],
];

export function DocumentsSection() {
  const { documents, drawerOpen, library, pane } = useApp();
  const making = useSignal(false);
  useEffect(() => void documents.list.load(), [library.classId.value]);
  return (
    <section class="made" aria-label="Sheets and guides">
      <div class="section-head">
        <h2>Sheets and guides</h2>
        <NewButton what="document" expanded={making.value} onClick={() => (making.value = !making.value)} />
      </div>
      {making.value && <DocumentForm onDone={() => (making.value = false)} />}
      <MadeItems
        list={documents.list}
        icon="text"
        testid="document"
        empty="A cheat sheet that fits the page, a study guide, a summary."
        current={pane.kind.value === "document" ? documents.open.value?.id : undefined}
        onOpen={(item, opener) => {
          drawerOpen.value = false;
          void documents.show(item.id, opener);
        }}
      />
    </section>
  );
}

function DocumentForm({ onDone }: { onDone: () => void }) {
  const { documents } = useApp();
  const kind = useSignal<DocumentKind>("cheat_sheet");
  const onSubmit = ({ material_ids, ...args }: Record<string, unknown>, fields: FormData): Promise<boolean> =>
    documents.make({
      kind: kind.value,
      ...args,
      ...(Array.isArray(material_ids) ? { material_id: material_ids[0] as unknown } : {}),
      ...(kind.value === "cheat_sheet" ? { pages: Number(fields.get("pages")), paper: fields.get("paper") } : {}),
    });
  return (
    <MakeForm what="document" onSubmit={onSubmit} onDone={onDone}>
      <label for="lyceum-document-kind">What</label>
      <select
        id="lyceum-document-kind"
        data-testid="document-kind"
        value={kind.value}
        onChange={(event) => (kind.value = event.currentTarget.value as DocumentKind)}
      >
        {Object.entries(KINDS).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
      {kind.value === "cheat_sheet" && (
        <div class="row">
          <select name="pages" aria-label="Pages">
            <option value="1">1 page</option>
            <option value="2">2 pages</option>
          </select>
          <select name="paper" aria-label="Paper">
            <option value="a4">A4</option>
            <option value="letter">Letter</option>
          </select>
        </div>
      )}
    </MakeForm>
  );
}

export function DocumentPane() {
  const { documents } = useApp();
  const open = documents.open.value;
  return open ? <OpenDocument key={`${open.id} ${open.version}`} document={open} /> : null;
}

function OpenDocument({ document }: { document: DocumentDetails }) {
  const { api, documents, evidence } = useApp();
  const citations = useMemo(() => citationsOf(document), [document]);
  const labels = useMemo(
    () => new Map(citations.map((one) => [one.number, `${one.locator.material_title}, ${one.label}`] as const)),
    [citations],
  );
  const openSource = (event: Event): void => {
    const button = (event.target as Element | null)?.closest<HTMLElement>("button[data-cite]");
    const source = citations.find((one) => one.number === Number(button?.dataset["cite"]));
    if (button && source) void evidence.openCitation(source, button);
  };
  const actions = document.is_own && (
    <RemoveButton what={`the document ${document.title}`} onClick={() => void documents.remove(document)} />
  );
  return (
    <Pane kind="document" title={document.title} actions={actions}>
      <nav class="row downloads" aria-label="Files">
        {FORMATS.map(([format, label]) => {
          const address = document.downloads[format];
          return (
            address && (
              <a key={format} class="quiet" href={api.url(address)} download="" data-testid={`download-${format}`}>
                <Icon name="external" size={16} /> {label}
              </a>
            )
          );
        })}
      </nav>
      {document.versions.length > 1 && (
        <select
          aria-label="Version"
          value={document.id}
          onChange={(event) => void documents.show(event.currentTarget.value)}
        >
          {document.versions.map((one) => (
            <option key={one.document_id} value={one.document_id}>
              Version {one.version}, {new Date(one.created_at).toLocaleString()}
            </option>
          ))}
        </select>
      )}
      {isUnderWay(document.making) && <p class="hint">{document.making?.message ?? "It is being made."}</p>}
      <article onClick={openSource}>
        <div class="prose">
          {splitBlocks(document.text).map((source, index) => (
            <Block key={index} source={source} labels={labels} />
          ))}
        </div>
        {citations.length > 0 && <Sources citations={citations} of="this document" />}
      </article>
    </Pane>
  );
}

function citationsOf(document: DocumentDetails): Citation[] {
  return document.citations.flatMap(({ number, label, quote, locator }) =>
    locator ? [{ number, passage_id: null, label: label ?? "", quote: quote ?? "", locator }] : [],
  );
}
