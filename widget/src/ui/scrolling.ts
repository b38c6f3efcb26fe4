/** Scrolls the panel only: scrollIntoView would also move the page around an embed. */
export function centre(target: HTMLElement | null | undefined): void {
  const body = target?.closest(".evidence-body");
  if (!target || !body) return;
  const [at, within] = [target.getBoundingClientRect(), body.getBoundingClientRect()];
  body.scrollTop += at.top - within.top - Math.max(16, (body.clientHeight - at.height) / 2);
  body.scrollLeft += at.left - within.left - Math.max(16, (body.clientWidth - at.width) / 2);
}
