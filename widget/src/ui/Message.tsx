// One message: the question as typed, or the answer with its markers, sources and what went wrong.
import { useMemo } from "preact/hooks";
import type { Citation } from "../api/types";
import { type App, useApp } from "../state/app";
import type { ChatMessage } from "../state/chat";
import { splitBlocks } from "../text/markdown";
import { Block } from "./Block";
import { Icon } from "./icons";
import { memo } from "./memo";
import { Sources } from "./Sources";

export const Message = memo(function Message({ message }: { message: ChatMessage }) {
  return message.role === "user" ? <Question text={message.text} /> : <Answer message={message} />;
});

function Question({ text }: { text: string }) {
  return (
    <article class="message question" data-testid="message" data-role="user" aria-label="You">
      <p>{text}</p>
    </article>
  );
}

function Answer({ message }: { message: ChatMessage }) {
  const app = useApp();
  const key = message.citations.map((one) => `${one.number} ${placeOf(one)}`).join("\n");
  const labels = useMemo(
    () => new Map(message.citations.map((one) => [one.number, placeOf(one)] as const)),
    [key],
  );
  return (
    <article
      class="message answer"
      data-testid="message"
      data-role="assistant"
      data-status={message.status}
      aria-label="Lyceum"
      onClick={(event) => openClicked(app, event, message.citations)}
    >
      {message.activity && (
        <p class="activity" data-testid="activity">
          <span class="pulse" aria-hidden="true" />
          {message.activity}
        </p>
      )}
      <div class="prose">
        {splitBlocks(message.text).map((source, index) => (
          <Block key={index} source={source} labels={labels} />
        ))}
      </div>
      {message.citations.length > 0 && <Sources citations={message.citations} of="this answer" />}
      <Ending message={message} />
    </article>
  );
}

function openClicked(app: App, event: Event, citations: readonly Citation[]): void {
  const button = (event.target as Element | null)?.closest<HTMLElement>("button[data-cite]");
  const citation = citations.find((one) => one.number === Number(button?.dataset["cite"]));
  if (button && citation) void app.evidence.openCitation(citation, button);
}

function placeOf(citation: Citation): string {
  return `${citation.locator.material_title}, ${citation.label}`;
}

const ENDINGS = {
  cancelled: "You stopped this answer.",
  failed: "The answer could not be finished.",
  interrupted: "The answer was interrupted before its end.",
} as const;

function Ending({ message }: { message: ChatMessage }) {
  const { chat } = useApp();
  const { status } = message;
  if (status === "running" || status === "complete") return null;
  const failed = status !== "cancelled";
  return (
    <div class={failed ? "ending failed" : "ending"} data-testid="message-error">
      {failed && <Icon name="warn" size={18} />}
      <span>{message.error ?? ENDINGS[status]}</span>
      <button
        type="button"
        class="quiet"
        data-testid="retry"
        disabled={chat.running.value}
        onClick={() => void chat.retry(message.id)}
      >
        <Icon name="retry" size={16} /> Retry
      </button>
    </div>
  );
}
