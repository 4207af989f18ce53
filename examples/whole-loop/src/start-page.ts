// A page to begin from: where everything is, links to try OAuth with, and the mails that would have gone out.
import { createServer, type Server } from "node:http";
import type { ApiClient } from "./api-client.js";

export interface StartPageOptions {
  readonly port: number;
  readonly api: ApiClient;
  readonly addresses: readonly (readonly [name: string, address: string, what: string])[];
  readonly tries: readonly (readonly [name: string, address: string, what: string])[];
}

/** The address that a member link connects whoever opens it to. */
export const TRIED_EMAIL = "you@example.com";

/** Links that carry a secret are made when they are asked for, since they work for 15 minutes. */
const MADE: Readonly<Record<string, readonly [path: string, body: object]>> = {
  "/try/install": ["/v1/discord/installations", {}],
  "/try/member": ["/v1/discord/member-links", { email: TRIED_EMAIL }],
};

/** Serves the page on this machine alone: it hands out links and shows mails to whoever opens it. */
export function startPage(options: StartPageOptions): Promise<Server> {
  const { port, api } = options;
  const hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);

  async function answer(path: string): Promise<Answer> {
    const made = MADE[path];
    if (made) return { status: 303, location: (await api.post<{ url: string }>(...made)).url };
    if (path !== "/") return { status: 404, html: "There is no such page." };
    const { mails } = await api.get<{ mails: Mail[] }>("/v1/development/mails");
    return { status: 200, html: pageOf(options, mails) };
  }

  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    // Another site's name that leads here must not read it.
    const isOurs = hosts.has(request.headers.host ?? "");
    const { status, location, html } = await (isOurs ? answer(pathname) : Promise.resolve(MISDIRECTED)).catch(
      (error: unknown): Answer => ({ status: 502, html: escapeHtml(String(error)) }),
    );
    response.writeHead(status, {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      ...(location ? { location } : {}),
    });
    response.end(html ?? "");
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

interface Answer {
  readonly status: number;
  readonly location?: string;
  readonly html?: string;
}

const MISDIRECTED: Answer = { status: 421 };

interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

const STYLE = `:root { color-scheme: light dark; --line: light-dark(#d9dbe6, #34374a); --card: light-dark(#fff, #20222e); --accent: light-dark(#4752c4, #a5b4ff) }
body { max-width: 60rem; margin: 3rem auto; padding: 0 1.5rem; background: light-dark(#f5f6fb, #17181f); font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.7rem; border-bottom: 3px solid var(--accent); padding-bottom: .8rem } h2 { margin: 2.2rem 0 .8rem; font-size: 1.05rem }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: .8rem; margin: 0; padding: 0; list-style: none }
li { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; overflow-wrap: anywhere }
a { color: var(--accent); font-weight: 600; text-decoration: none } a:hover, a:focus-visible { text-decoration: underline } small { display: block; opacity: .75 }`;

function pageOf({ addresses, tries }: StartPageOptions, mails: readonly Mail[]): string {
  const list = (rows: StartPageOptions["tries"]) =>
    `<ul>${rows.map(([name, address, what]) => `<li><a href="${escapeHtml(address)}">${escapeHtml(name)}</a><small>${escapeHtml(what)}</small></li>`).join("")}</ul>`;
  const letters = mails.map(({ to, subject, text }) => {
    const link = /https?:\/\/\S+/.exec(text)?.[0];
    const title = link ? `<a href="${escapeHtml(link)}">${escapeHtml(subject)}</a>` : escapeHtml(subject);
    return `<li>${title}<small>to ${escapeHtml(to)}</small></li>`;
  });
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Hookline on this machine</title><style>${STYLE}</style></head>
<body><h1>Hookline on this machine</h1>
<h2>Look around</h2>${list(addresses)}
<h2>Try OAuth against the simulated Discord</h2>${list(tries)}
<h2>Mails that would have gone out</h2>${letters.length > 0 ? `<ul>${letters.join("")}</ul>` : "<p>None so far.</p>"}
</body></html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
