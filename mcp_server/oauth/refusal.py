"""The page that a person sees when a program cannot be connected, in the look of the app."""

import base64
import hashlib
import html

from starlette.responses import HTMLResponse

STYLE = """
:root{color-scheme:light dark;--bg:#faf9f6;--surface:#fff;--line:#dcd8ce;--text:#1f2328;--muted:#565c63;--accent:#1f5f8b}
@media(prefers-color-scheme:dark){:root{--bg:#16181b;--surface:#1e2125;--line:#353a40;--text:#e6e5e1;--muted:#a9b0b7;--accent:#86bde6}}
body{display:grid;min-height:100dvh;margin:0;padding:24px 16px;box-sizing:border-box;place-items:center;background:var(--bg);
color:var(--text);font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;text-align:center}
main{box-sizing:border-box;width:min(100%,420px);padding:28px 24px;border:1px solid var(--line);border-radius:14px;background:var(--surface)}
h1{margin:0 0 12px;font-size:20px;line-height:1.35}p{margin:0 0 12px;overflow-wrap:anywhere}p:last-child{margin:0;color:var(--muted)}
a{color:var(--accent)}
"""
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>Not connected · Lyceum</title><style>{style}</style>
<main><h1>This program could not be connected</h1><p>{sentence}</p><p>Nothing was changed. {way_out}</p></main></html>"""
CLOSE = "You can close this page."
BACK = '<a rel="noreferrer" href="{url}">Go back to the program</a>, or close this page.'
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    # The guard's own policy allows no style in a page; this one allows just that above, and nothing else at all.
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
}


def refusal(sentence: str, status: int, url: str | None = None) -> HTMLResponse:
    """`url`: where the program would hear of it, for the person to follow."""
    way_out = BACK.format(url=html.escape(url)) if url else CLOSE
    page = PAGE.format(style=STYLE, sentence=html.escape(sentence), way_out=way_out)
    return HTMLResponse(page, status, headers=HEADERS)
