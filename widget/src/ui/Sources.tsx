// The numbered sources under an answer or a note; a click on one is handled by what holds them.
import type { Citation } from "../api/types";

export function Sources({ citations, of }: { citations: readonly Citation[]; of: string }) {
  return (
    <div class="sources" role="group" aria-label={`Sources of ${of}`} data-testid="sources">
      <p class="label">Sources</p>
      <ol>
        {citations.map((one) => (
          <li key={one.number}>
            <button type="button" class="source" data-cite={one.number} data-testid="source">
              <span class="number">{one.number}</span>
              <span class="where">
                <span class="title">{one.locator.material_title}</span>
                <span class="place">{one.label}</span>
              </span>
              <span class="quote">{one.quote}</span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}
