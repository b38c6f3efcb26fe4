// What a search found: the passages, and the page that the chosen one stands on, with its place marked.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Passage, Place } from "../../src/api/types";
import type { Locator } from "../../src/api/types";
import { markPassage } from "../../src/text/passage";
import { ModeButton, OpenButton, placeIn, Problem, sentence, type Session, type Shown, start, useSession, Waiting } from "./page";

interface Hit {
  passage_id: string;
  text: string;
  label: string;
  locator: Locator;
}

interface Found {
  query: string;
  hits: Hit[];
  notice: string | null;
}

/** Without a content type it is a whole page, which is not marked. */
type Opened = Passage & { label: string; content_type?: string | null };

/** A place to be looked at: its picture where there is one, else its text. */
interface Look {
  passage: Opened;
  image: string | null;
}

function Search({ shown }: { shown: Shown<Found | Opened> }) {
  const { data } = shown;
  return "hits" in data ? <Results found={data} /> : <Alone first={data} />;
}

function Results({ found }: { found: Found }) {
  const session = useSession();
  const [chosen, setChosen] = useState<Hit | null>(found.hits[0] ?? null);
  const { look, problem, show, go } = useLook(session);
  useEffect(() => void (chosen && show(openedAt(session, chosen))), [chosen]);
  const isWide = useWide();
  const page = chosen && <Page look={look} problem={problem} onGo={go} />;
  return (
    <section aria-label="Search results">
      <header>
        <h1>{found.query}</h1>
        <ModeButton />
      </header>
      {found.notice && (
        <p class="quiet" role="status" data-testid="notice">
          {found.notice}
        </p>
      )}
      <div class="beside">
        <ol class="hits">
          {found.hits.map((hit) => (
            <li key={hit.passage_id}>
              <button
                type="button"
                class="hit"
                data-testid="hit"
                aria-current={hit === chosen ? "true" : undefined}
                onClick={() => setChosen(hit)}
              >
                <span class="place">
                  {hit.locator.material_title}, {hit.label}
                </span>
                <Snippet text={hit.text} query={found.query} />
              </button>
              {!isWide && hit === chosen && page}
            </li>
          ))}
        </ol>
        {isWide && page}
      </div>
    </section>
  );
}

/** The page of a hit. A hit may join several passages: its own place is marked, not that of the best of them. */
async function openedAt(session: Session, hit: Hit): Promise<Opened> {
  const passage = await session.call<Opened>("open_passage", { passage_id: hit.passage_id });
  return { ...passage, text: hit.text, locator: hit.locator, label: hit.label };
}

const WIDE = "(min-width: 720px)";

/** Whether the page stands beside the hits; on a phone it opens under the chosen one. */
function useWide(): boolean {
  const [isWide, setWide] = useState(() => matchMedia(WIDE).matches);
  useEffect(() => {
    const query = matchMedia(WIDE);
    const look = (): void => setWide(query.matches);
    query.addEventListener("change", look);
    return () => query.removeEventListener("change", look);
  }, []);
  return isWide;
}

function Alone({ first }: { first: Opened }) {
  const session = useSession();
  const { look, problem, show, go } = useLook(session);
  useEffect(() => void show(Promise.resolve(first)), []);
  return (
    <section aria-label="Passage">
      <header>
        <h1>{(look?.passage ?? first).material.title}</h1>
        <ModeButton />
      </header>
      <Page look={look} problem={problem} onGo={go} />
    </section>
  );
}

function useLook(session: Session) {
  const [look, setLook] = useState<Look | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const wanted = useRef(0);
  /** Shows the text first and the picture when it is there; a later wish takes the place of an earlier one. */
  const show = async (opening: Promise<Opened>): Promise<void> => {
    const turn = ++wanted.current;
    try {
      const passage = await opening;
      if (turn !== wanted.current) return;
      setLook({ passage, image: null });
      setProblem(null);
      const image = passage.image_url ? await picture(session, passage).catch(() => null) : null;
      if (turn === wanted.current && image) setLook({ passage, image });
    } catch (error) {
      if (turn === wanted.current) setProblem(sentence(error));
    }
  };
  const go = (args: Record<string, unknown>): Promise<void> => show(session.call<Opened>("open_passage", args));
  return { look, problem, show, go };
}

/** The picture of a page as a `data:` address: the only kind that the page may show. */
async function picture(session: Session, passage: Opened): Promise<string | null> {
  const { material_id, page } = passage.locator;
  const { contents } = await session.host.read(`lyceum://materials/${material_id}/pages/${page}/image`);
  const [found] = contents;
  if (!found || !("blob" in found) || !/^image\/(png|jpeg|webp)$/.test(found.mimeType ?? "")) return null;
  return `data:${found.mimeType};base64,${found.blob}`;
}

interface PageProps {
  look: Look | null;
  problem: string | null;
  onGo: (args: Record<string, unknown>) => Promise<void>;
}

function Page({ look, problem, onGo }: PageProps) {
  if (problem) return <Problem text={problem} />;
  if (!look) return <Waiting />;
  const { passage, image } = look;
  const leaf = (place: Place | null, label: string, testid: string) => (
    <button type="button" class="plain" disabled={!place} data-testid={testid} onClick={() => place && void onGo({ material_id: place.material_id, page: place.page })}>
      {label}
    </button>
  );
  const isWhole = passage.content_type == null;
  const { char_start, char_end, boxes } = passage.locator;
  const parts = isWhole ? null : markPassage(passage.segment_text, char_start, char_end, passage.text);
  const name = `${passage.material.title}, ${passage.label}`;
  return (
    <div class="page" data-testid="page">
      <div class="row">
        {leaf(passage.previous, "Back", "page-back")}
        <span class="place" role="status">
          {name}
          <OpenButton path={placeIn(passage.material.id, passage.locator)} what={name} />
        </span>
        {leaf(passage.next, "Next", "page-next")}
      </div>
      {passage.notice && <p class="quiet">{passage.notice}</p>}
      {image ? (
        <div class="picture">
          <img src={image} alt={`${name}. ${passage.text.slice(0, 200)}`} data-testid="page-image" />
          {(isWhole ? [] : boxes).map(({ x0, y0, x1, y1 }) => (
            <span
              class="mark"
              data-testid="mark"
              style={{ left: `${100 * x0}%`, top: `${100 * y0}%`, width: `${100 * (x1 - x0)}%`, height: `${100 * (y1 - y0)}%` }}
            />
          ))}
        </div>
      ) : (
        <p class="words" data-testid="page-text">
          {parts ? (
            <>
              {parts.before}
              <mark>{parts.marked}</mark>
              {parts.after}
            </>
          ) : (
            passage.text
          )}
        </p>
      )}
    </div>
  );
}

const BEFORE = 40;
const SHOWN = 280;
/** Words of a question that say nothing about its passage. */
const COMMON = new Set("and are can does for from how into its that the this was what when where which who why with".split(" "));

/** The part of a passage around the first word of the query, with the words of the query marked. */
function Snippet({ text, query }: { text: string; query: string }) {
  const words = [...new Set(query.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? [])].filter((word) => !COMMON.has(word));
  const plain = text.replace(/\s+/g, " ").trim();
  const pattern = words.length > 0 ? new RegExp(`(?<![\\p{L}\\p{N}])(?:${words.join("|")})`, "giu") : null;
  const first = pattern ? plain.search(pattern) : 0;
  const from = Math.max(0, plain.lastIndexOf(" ", Math.max(0, first - BEFORE)));
  const cut = plain.slice(from, from + SHOWN);
  const pieces = pattern ? cut.split(new RegExp(`(${pattern.source}[\\p{L}\\p{N}]*)`, "giu")) : [cut];
  return (
    <span class="snippet">
      {from > 0 && "… "}
      {pieces.map((piece, index) => (index % 2 === 1 ? <mark>{piece}</mark> : piece))}
      {from + cut.length < plain.length && " …"}
    </span>
  );
}

start("search", Search);
