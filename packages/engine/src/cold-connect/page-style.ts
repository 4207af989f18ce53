import { createHash } from "node:crypto";

/** The confirm page's style sheet, and the CSP source that allows exactly this one. */
export interface PageStyle {
  readonly css: string;
  readonly cspSource: string;
}

/** @param accentColor `#rrggbb` */
export function createPageStyle(accentColor: string): PageStyle {
  const css = `
:root { color-scheme: light dark; --accent: ${accentColor}; --on-accent: ${readableOn(accentColor)};
  --page: #f4f5f8; --card: #ffffff; --ink: #14161c; --soft: #5b6172; --line: #e4e6ed; --field: #f8f9fb;
  --good: #13864d; --good-tint: #e3f6ec; --warn: #98590b; --warn-tint: #fdf0dc; --shadow: 0 1px 2px #1018280d, 0 16px 40px -12px #10182829; }
@media (prefers-color-scheme: dark) { :root { --page: #0e1015; --card: #171a21; --ink: #f2f4f8; --soft: #a0a7b8;
  --line: #2a2f3a; --field: #1d212a; --good: #5ad197; --good-tint: #12301f; --warn: #f0b45e; --warn-tint: #33240d; --shadow: 0 16px 40px -12px #000000a6; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; min-height: 100dvh; display: grid; place-items: center; padding: 24px 16px;
  background: radial-gradient(70rem 34rem at 50% -14rem, color-mix(in srgb, var(--accent) 20%, transparent), transparent) var(--page);
  color: var(--ink); font: 16px/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  -webkit-font-smoothing: antialiased; }
main { width: 100%; max-width: 27.5rem; padding: 36px 32px 28px; background: var(--card); border: 1px solid var(--line);
  border-radius: 20px; box-shadow: var(--shadow); text-align: center; }
.pair { display: flex; align-items: center; justify-content: center; gap: 12px; margin: 0 0 22px; }
.tile { width: 56px; height: 56px; border-radius: 16px; display: grid; place-items: center; font-weight: 700; font-size: 24px;
  background: var(--field); border: 1px solid var(--line); color: var(--ink); }
.tile.ours { background: var(--accent); border-color: transparent; color: var(--on-accent); }
.tile svg { width: 28px; height: 28px; }
.wire { width: 44px; border-top: 2px dashed var(--soft); opacity: 0.5; }
.badge { display: inline-block; margin: 0 0 12px; padding: 3px 12px; border-radius: 999px; font-size: 13px; font-weight: 600;
  color: var(--ink); background: color-mix(in srgb, var(--accent) 16%, transparent); }
h1 { margin: 0 0 8px; font-size: 24px; line-height: 1.25; letter-spacing: -0.015em; text-wrap: balance; }
p { margin: 0; color: var(--soft); text-wrap: pretty; overflow-wrap: anywhere; }
dl { margin: 24px 0; border: 1px solid var(--line); border-radius: 14px; background: var(--field); text-align: left; }
dl > div { padding: 13px 18px; }
dl > div + div { border-top: 1px solid var(--line); }
dt { font-size: 13px; color: var(--soft); }
dd { margin: 0; font-weight: 600; font-size: 17px; overflow-wrap: anywhere; }
dd small { display: block; font-weight: 400; font-size: 13px; color: var(--soft); }
button { width: 100%; padding: 14px 20px; border: 0; border-radius: 12px; background: var(--accent); color: var(--on-accent);
  font: inherit; font-weight: 650; cursor: pointer; }
button:hover { filter: brightness(1.07); }
button:active { transform: translateY(1px); }
button:focus-visible { outline: 3px solid color-mix(in srgb, var(--accent) 45%, transparent); outline-offset: 3px; }
button.quiet { margin-top: 10px; background: transparent; color: var(--ink); border: 1px solid var(--line); }
.fine { margin-top: 18px; font-size: 14px; }
.sign { width: 64px; height: 64px; margin: 0 auto 20px; border-radius: 50%; display: grid; place-items: center; }
.sign svg { width: 32px; height: 32px; }
.sign.good { color: var(--good); background: var(--good-tint); }
.sign.warn { color: var(--warn); background: var(--warn-tint); }
.more { margin-top: 12px; }
@media (max-width: 420px) { main { padding: 28px 20px 22px; } h1 { font-size: 22px; } }
`;
  return { css, cspSource: `'sha256-${createHash("sha256").update(css).digest("base64")}'` };
}

/** Black or white, whichever has the greater contrast (WCAG 2.2, relative luminance). */
function readableOn(color: string): string {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 ? "#ffffff" : "#000000";
}
