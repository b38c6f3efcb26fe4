// What the page and the quiz inside AI clients share of answering: how their text is drawn is for each to say.
import type { ComponentType } from "preact";
import type { AskedQuestion, Choice, Response, Share } from "../api/study";

export type Texts = ComponentType<{ text: string }>;

export const TRUTH: Choice[] = [
  { id: "true", text: "True" },
  { id: "false", text: "False" },
];

export interface ChoicesProps {
  Text: Texts;
  options: readonly Choice[];
  name: string;
  type: "radio" | "checkbox";
  chosen: string[];
  onChange: (chosen: string[]) => void;
  /** Shown above options of which several may be chosen. */
  hint?: string;
}

export function Choices({ Text, options, name, type, chosen, onChange, hint }: ChoicesProps) {
  const pick = (id: string, on: boolean): void => {
    if (type === "radio") onChange([id]);
    else onChange(on ? [...chosen, id] : chosen.filter((one) => one !== id));
  };
  return (
    <div class="options">
      {hint && type === "checkbox" && <p class="quiet">{hint}</p>}
      {options.map((option) => (
        <label class="option" key={option.id}>
          <input
            type={type}
            name={name}
            data-testid="option"
            checked={chosen.includes(option.id)}
            onChange={(event) => pick(option.id, event.currentTarget.checked)}
          />
          <Text text={option.text} />
        </label>
      ))}
    </div>
  );
}

interface MatchingProps {
  Text: Texts;
  question: AskedQuestion;
  onAnswer: (response: Response) => void;
}

export function Matching({ Text, question, onAnswer }: MatchingProps) {
  const { response } = question;
  const pairs = typeof response === "object" && response !== null && !Array.isArray(response) ? response : {};
  const change = (left: string, right: string): void => {
    const { [left]: _, ...others } = pairs;
    onAnswer(right ? { ...others, [left]: right } : others);
  };
  return (
    <div class="matching">
      {question.options.map((left) => (
        <div class="pair" key={left.id}>
          <Text text={left.text} />
          <select
            aria-label={`Belongs to ${left.text}`}
            data-testid="answer-match"
            value={pairs[left.id] ?? ""}
            onChange={(event) => change(left.id, event.currentTarget.value)}
          >
            <option value="">Choose…</option>
            {question.right.map((right) => (
              <option key={right.id} value={right.id}>
                {right.text}
              </option>
            ))}
          </select>
        </div>
      ))}
    </div>
  );
}

interface OrderingProps extends MatchingProps {
  /** The class of the buttons that move an item. */
  mover: string;
}

export function Ordering({ Text, question, onAnswer, mover }: OrderingProps) {
  const ids = orderOf(question);
  const texts = new Map(question.options.map((one) => [one.id, one.text]));
  const move = (from: number, to: number): void => {
    const order = [...ids];
    const [moved] = order.splice(from, 1);
    if (moved !== undefined) order.splice(to, 0, moved);
    onAnswer(order);
  };
  const button = (id: string, from: number, to: number, way: string, sign: string) => (
    <button
      type="button"
      class={mover}
      aria-label={`Move ${way}: ${texts.get(id) ?? id}`}
      disabled={to < 0 || to >= ids.length}
      data-testid={`move-${way}`}
      onClick={() => move(from, to)}
    >
      {sign}
    </button>
  );
  return (
    <>
      <ol class="ordering">
        {ids.map((id, index) => (
          <li key={id}>
            <Text text={texts.get(id) ?? id} />
            {button(id, index, index - 1, "up", "↑")}
            {button(id, index, index + 1, "down", "↓")}
          </li>
        ))}
      </ol>
      {question.response == null && (
        <button type="button" class={`${mover} keep`} data-testid="keep-order" onClick={() => onAnswer(ids)}>
          This order is right
        </button>
      )}
    </>
  );
}

const orderOf = ({ response, options }: AskedQuestion): string[] =>
  Array.isArray(response) && response.length > 0 ? response : options.map((one) => one.id);

export function Shares({ shares, kind }: { shares: readonly Share[]; kind: string }) {
  return (
    <table class={kind}>
      <caption>By topic, weakest first</caption>
      <tbody>
        {shares.map((one) => (
          <tr key={one.name}>
            <th scope="row">{one.name}</th>
            <td>
              <meter min={0} max={100} value={one.percent} aria-label={`${one.name}: ${Math.round(one.percent)} %`} />
            </td>
            <td>
              {one.right} of {one.questions}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
