// Preact's memo lives in preact/compat, which weighs more than these lines.
import { Component, type ComponentChild, type FunctionComponent, h } from "preact";

export function memo<P extends object>(inner: FunctionComponent<P>): new (props: P) => Component<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const now = this.props as Record<string, unknown>;
      const then = next as Record<string, unknown>;
      return Object.keys(then).some((key) => now[key] !== then[key]);
    }

    override render(): ComponentChild {
      return h(inner, this.props as P);
    }
  };
}
