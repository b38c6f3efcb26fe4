// Line icons drawn here, so no font or emoji is needed. Decorative: the control around carries the label.
const PATHS = {
  send: "M12 19V5M5.500 11.500 12 5l6.500 6.500",
  stop: "M7 7h10v10H7z",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  menu: "M4 7h16M4 12h16M4 17h16",
  file: "M14 3H7a1 1 0 0 0-1 1v16a1 1 0 0 0 1 1h10a1 1 0 0 0 1-1V7zM14 3v4h4M9 12h6M9 16h6",
  upload: "M12 16V5M7 9.500 12 5l5 4.500M5 19h14",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  zoomIn: "M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13M15.500 15.500 20 20M7.500 10.500h6M10.500 7.500v6",
  zoomOut: "M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13M15.500 15.500 20 20M7.500 10.500h6",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  retry: "M20 11a8 8 0 1 0-2 6M20 5v6h-6",
  external: "M14 5h5v5M19 5l-9 9M17 14v5H5V7h5",
  text: "M5 6h14M5 11h14M5 16h9",
  link: "M10 14a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1",
  note: "M6 4h9l4 4v12H6zM9 10h7M9 13.500h7M9 17h4",
  edit: "M5 19h3.500L19 8.500 15.500 5 5 15.500zM13.500 7l3.500 3.500",
  leave: "M14 5H6v14h8M11 12h9M17 8.500 20.500 12 17 15.500",
  warn: "M12 4 2.500 20h19zM12 10v5M12 17.500v.500",
  test: "M7 4h10v16H7zM10 9l1 1 2.500-2.500M10 14.500l1 1 2.500-2.500",
  cards: "M4 8h11v12H4zM8 8V4h12v12h-5",
  chat: "M5 5h14v11H10l-4 3.500V16H5z",
  plug: "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4",
  key: "M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8M10.800 12.200 19 4M15.500 7.500l3 3",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  check: "M5 12.500l4.500 4.500L19 7.500",
} as const;

export function Icon({ name, size = 20 }: { name: keyof typeof PATHS; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path d="M6 12.500 16 7l10 5.500zM9.500 16v6.500M16 16v6.500M22.500 16v6.500M7 26h18" />
    </svg>
  );
}
