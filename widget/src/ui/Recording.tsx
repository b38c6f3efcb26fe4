// A minute of a recording: a player set to the passage's second, and what is said, sentence by sentence.
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Passage, Sentence } from "../api/types";
import { useApp } from "../state/app";
import { clock } from "../state/uploads";
import { centre } from "./scrolling";

export function Recording({ passage, marked }: { passage: Passage; marked: boolean }) {
  const { api } = useApp();
  const player = useRef<HTMLVideoElement>(null);
  const heard = useSignal(-1);
  const broken = useSignal(false);
  const sentences = passage.sentences ?? [];
  const start = passage.locator.t_start ?? sentences[0]?.t_start ?? 0;
  const url = passage.media_url?.split("#")[0];
  const seek = (): void => {
    if (player.current) player.current.currentTime = start;
  };
  // Leafing on in the same recording keeps the player; only its place changes.
  useLayoutEffect(seek, [url, start]);
  const follow = (): void => {
    const now = player.current?.currentTime ?? 0;
    heard.value = sentences.findLastIndex((one) => one.t_start <= now + 0.05);
  };
  const play = (sentence: Sentence): void => {
    if (!player.current) return;
    player.current.currentTime = sentence.t_start;
    void player.current.play().catch(() => undefined);
  };
  const playable = Boolean(url) && !broken.value;
  return (
    <div class="recording">
      {url && playable && (
        <video
          ref={player}
          src={api.url(url)}
          controls
          playsInline
          preload="metadata"
          data-testid="player"
          onLoadedMetadata={(event) => {
            event.currentTarget.classList.toggle("with-picture", event.currentTarget.videoWidth > 0);
            seek();
          }}
          onTimeUpdate={follow}
          onError={() => (broken.value = true)}
        />
      )}
      {broken.value && <p class="empty">This browser cannot play this recording; open the file to hear it.</p>}
      <Said
        sentences={sentences}
        isMarked={(one) =>
          marked && one.char_start < passage.locator.char_end && one.char_end > passage.locator.char_start
        }
        heard={heard.value}
        play={playable ? play : null}
      />
    </div>
  );
}

interface SaidProps {
  sentences: readonly Sentence[];
  isMarked: (sentence: Sentence) => boolean;
  heard: number;
  play: ((sentence: Sentence) => void) | null;
}

function Said({ sentences, isMarked, heard, play }: SaidProps) {
  const list = useRef<HTMLOListElement>(null);
  useLayoutEffect(() => centre(list.current?.querySelector<HTMLElement>(".highlighted")), [sentences]);
  return (
    <ol class="said" ref={list}>
      {sentences.map((one, index) => {
        const words = isMarked(one) ? <mark data-testid="highlight">{one.text}</mark> : one.text;
        return (
          <li key={one.char_start} class={isMarked(one) ? "highlighted" : ""} aria-current={index === heard ? "true" : undefined}>
            {play ? (
              <button type="button" class="time" data-testid="sentence-time" aria-label={`Play from ${clock(one.t_start)}`} onClick={() => play(one)}>
                {clock(one.t_start)}
              </button>
            ) : (
              <span class="time">{clock(one.t_start)}</span>
            )}
            <span>{words}</span>
          </li>
        );
      })}
    </ol>
  );
}
