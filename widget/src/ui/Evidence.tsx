// The evidence: the page an answer stands on, with the passage marked on its image or in its text.
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Box, Figure, Passage, Place } from "../api/types";
import { useApp } from "../state/app";
import type { EvidenceView } from "../state/evidence";
import { markPassage } from "../text/passage";
import { clock } from "../state/uploads";
import { Icon } from "./icons";
import { Recording } from "./Recording";
import { centre } from "./scrolling";

export function Evidence() {
  const { evidence } = useApp();
  const view = evidence.view.value;
  return view ? <Panel view={view} /> : null;
}

function Panel({ view }: { view: EvidenceView }) {
  const { evidence } = useApp();
  const heading = useRef<HTMLHeadingElement>(null);
  const { passage, citation, atCitation } = view;
  // Also on the way back to the citation, when the button that led there is gone and the focus with it.
  useLayoutEffect(() => {
    if (atCitation || !citation) heading.current?.focus();
  }, [citation, atCitation]);
  const title = passage?.material.title ?? citation?.locator.material_title ?? "Material";
  return (
    <aside
      class="evidence"
      aria-label="Evidence"
      data-testid="evidence"
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.preventDefault();
          evidence.close();
        }
        if (event.altKey && event.key === "ArrowLeft" && passage?.previous) void evidence.leaf(passage.previous);
        if (event.altKey && event.key === "ArrowRight" && passage?.next) void evidence.leaf(passage.next);
      }}
    >
      <header>
        <h2 tabIndex={-1} ref={heading}>
          {title}
        </h2>
        <button type="button" class="icon-button" aria-label="Close the evidence" onClick={() => evidence.close()}>
          <Icon name="close" />
        </button>
      </header>
      <Leafing view={view} />
      {citation && atCitation && (
        <blockquote data-testid="evidence-quote">{citation.quote}</blockquote>
      )}
      <div class="evidence-body" role="group" aria-label="The page" tabIndex={0} aria-busy={view.loading}>
        {view.error && (
          <p class="ending failed" role="alert">
            <Icon name="warn" size={18} /> <span>{view.error}</span>
          </p>
        )}
        {passage?.notice && <p class="empty">{passage.notice}</p>}
        {passage ? <Page passage={passage} marked={view.atCitation} /> : view.loading && <p class="activity">Opening the page…</p>}
      </div>
      {passage?.figures && passage.figures.length > 0 && !passage.image_url && <Figures figures={passage.figures} />}
      {passage && <OpenFile passage={passage} />}
    </aside>
  );
}

function Leafing({ view }: { view: EvidenceView }) {
  const { evidence } = useApp();
  const { passage, citation } = view;
  const leaf = (place: Place | null | undefined, label: string, icon: "left" | "right") => (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      aria-disabled={!place}
      aria-busy={view.loading}
      onClick={() => place && !view.loading && void evidence.leaf(place)}
    >
      <Icon name={icon} />
    </button>
  );
  return (
    <nav class="leafing" aria-label="Pages">
      {leaf(passage?.previous, "Previous page", "left")}
      <span class="where" role="status" data-testid="evidence-place">
        {passage ? placeWords(passage) : (citation?.label ?? "")}
      </span>
      {leaf(passage?.next, "Next page", "right")}
      {citation && !view.atCitation && (
        <button type="button" class="quiet" onClick={() => void evidence.backToCitation()}>
          Back to {citation.label}
        </button>
      )}
      {passage?.image_url && <Zoom />}
    </nav>
  );
}

function Zoom() {
  const { evidence } = useApp();
  const on = evidence.zoomed.value;
  const label = on ? "Fit the page to the panel" : "Enlarge the page";
  return (
    <button
      type="button"
      class="icon-button zoom"
      aria-label={label}
      title={label}
      data-testid="zoom"
      onClick={() => (evidence.zoomed.value = !on)}
    >
      <Icon name={on ? "zoomOut" : "zoomIn"} />
    </button>
  );
}

function placeWords({ locator, material }: Passage): string {
  const of = material.page_count ? ` of ${material.page_count}` : "";
  if (locator.page !== null) {
    const printed = locator.page_label && locator.page_label !== String(locator.page) ? ` (printed ${locator.page_label})` : "";
    return `Page ${locator.page}${of}${printed}`;
  }
  if (locator.slide !== null) return `Slide ${locator.slide}${of}`;
  if (locator.t_start !== null) return clock(locator.t_start);
  return locator.heading_path.join(" › ") || `Part ${locator.segment + 1}`;
}

/** The minute of a recording; the picture of the page; its text where there is no picture or it cannot be loaded. */
function Page({ passage, marked }: { passage: Passage; marked: boolean }) {
  const broken = useSignal<string | null>(null);
  const url = passage.image_url;
  if (passage.locator.t_start !== null) return <Recording passage={passage} marked={marked} />;
  return url && url !== broken.value ? (
    <PageImage
      url={url}
      label={placeWords(passage)}
      boxes={marked ? passage.locator.boxes : NO_BOXES}
      onBroken={() => (broken.value = url)}
    />
  ) : (
    <PageText passage={passage} marked={marked} />
  );
}

const percent = (fraction: number): string => `${(100 * Math.min(1, Math.max(0, fraction))).toFixed(3)}%`;

const NO_BOXES: readonly Box[] = [];

interface PageImageProps {
  url: string;
  label: string;
  boxes: readonly Box[];
  onBroken: () => void;
}

function PageImage({ url, label, boxes, onBroken }: PageImageProps) {
  const { api, evidence } = useApp();
  const zoomed = evidence.zoomed.value;
  const figure = useRef<HTMLElement>(null);
  const showMark = (): void => {
    centre(figure.current?.querySelector<HTMLElement>(".highlight"));
  };
  useLayoutEffect(showMark, [url, boxes, zoomed]);
  return (
    <figure class={zoomed ? "page zoomed" : "page"} ref={figure}>
      <img src={api.url(url)} alt={`${label}, as an image`} data-testid="page-image" onLoad={showMark} onError={onBroken} />
      {boxes.map((box, index) => (
        <span
          key={index}
          class="highlight"
          data-testid="highlight"
          style={{
            left: percent(box.x0),
            top: percent(box.y0),
            width: percent(box.x1 - box.x0),
            height: percent(box.y1 - box.y0),
          }}
        />
      ))}
    </figure>
  );
}

function PageText({ passage, marked }: { passage: Passage; marked: boolean }) {
  const mark = useRef<HTMLElement>(null);
  const { locator, segment_text, text } = passage;
  useLayoutEffect(() => centre(mark.current), [segment_text, marked]);
  const parts = marked
    ? markPassage(segment_text, locator.char_start, locator.char_end, text)
    : { before: segment_text, marked: "", after: "" };
  return (
    <div class="page-text" data-testid="page-text">
      {parts.before}
      {parts.marked && (
        <mark ref={mark} data-testid="highlight">
          {parts.marked}
        </mark>
      )}
      {parts.after}
    </div>
  );
}

/** Pictures that stand beside the passage, where no picture of the page shows them; each opens in full. */
function Figures({ figures }: { figures: readonly Figure[] }) {
  const { api } = useApp();
  return (
    <ul class="figures" aria-label="Figures beside this passage" data-testid="figures">
      {figures.map((figure) => {
        const words = [figure.label, figure.caption].filter(Boolean).join(": ") || "Figure";
        return (
          <li key={figure.url}>
            <a href={api.url(figure.url)} target="_blank" rel="noopener" title={words}>
              <img src={api.url(figure.url)} alt={words} loading="lazy" />
            </a>
          </li>
        );
      })}
    </ul>
  );
}

function OpenFile({ passage }: { passage: Passage }) {
  const { api } = useApp();
  const { material, locator } = passage;
  const fragment = locator.page === null ? "" : `#page=${locator.page}`;
  return (
    <footer>
      <a href={api.url(`/api/materials/${material.id}/file`) + fragment} target="_blank" rel="noopener" data-testid="open-file">
        <Icon name="external" size={16} /> Open the file
      </a>
      {passage.source_url && (
        <a href={passage.source_url} target="_blank" rel="noopener noreferrer" data-testid="open-source">
          <Icon name="link" size={16} /> Open the source
        </a>
      )}
    </footer>
  );
}
