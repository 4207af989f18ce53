import { createHash } from "node:crypto";
import { html, raw } from "hono/html";

/** The part of an OpenAPI 3.1 document that the reference page shows. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> };
}

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly unknown[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema?: unknown;
  }[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> };
  readonly responses?: Readonly<
    Record<string, { readonly description?: string; readonly content?: Readonly<Record<string, { schema?: unknown }>> }>
  >;
}

interface Entry extends Operation {
  readonly method: string;
  readonly path: string;
}

const METHODS = new Set(["get", "post", "put", "patch", "delete"]);

const CSS = `
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --ink: #171a21; --soft: #5d6474; --line: #e3e6ec; --code: #f1f3f7;
  --get: #1267a8; --post: #13864d; --put: #98590b; --patch: #98590b; --delete: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --page: #0e1015; --card: #171a21; --ink: #eef0f5; --soft: #9aa2b4; --line: #2a2f3a; --code: #10131a;
  --get: #6fb7f0; --post: #5ad197; --put: #f0b45e; --patch: #f0b45e; --delete: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.55 ui-sans-serif, system-ui, sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 40px 20px 80px; }
h1 { margin: 0 0 4px; letter-spacing: -0.02em; } h2 { margin: 36px 0 10px; font-size: 18px; }
p { color: var(--soft); margin: 0; } a { color: inherit; }
details { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: 8px 0; }
summary { display: flex; flex-wrap: wrap; gap: 10px; align-items: baseline; padding: 11px 14px; cursor: pointer; }
.method { font: 700 12px ui-monospace, monospace; text-transform: uppercase; min-width: 3.6rem; }
.get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); } .patch { color: var(--patch); } .delete { color: var(--delete); }
code, pre { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; } .what { color: var(--soft); }
.body { padding: 4px 14px 16px; border-top: 1px solid var(--line); } h3 { font-size: 13px; margin: 16px 0 6px; color: var(--soft); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: 5px 12px 5px 0; vertical-align: top; border-bottom: 1px solid var(--line); } th { font-size: 12px; color: var(--soft); }
pre { margin: 0; padding: 12px; background: var(--code); border-radius: 8px; overflow-x: auto; }
`;

/** The reference page is one document without scripts, so that it works offline and under a strict policy. */
export const DOCS_CSP = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(CSS).digest("base64")}'; base-uri 'none'; frame-ancestors 'none'`;

export async function docsPage(document: ApiDocument): Promise<string> {
  const groups = groupByTag(entriesOf(document));
  const page = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${document.info.title} · API reference</title>
<style>${raw(CSS)}</style>
</head>
<body><main>
<h1>${document.info.title}</h1>
<p>${document.info.description ?? ""} Version ${document.info.version}. Machine-readable: <a href="openapi.json">openapi.json</a></p>
${groups.map(([tag, entries]) => html`<h2>${tag}</h2>${entries.map(operation)}`)}
<h2>Schemas</h2>
${Object.entries(document.components?.schemas ?? {}).map(
  ([name, schema]) =>
    html`<details><summary><code>${name}</code></summary><div class="body">${code(schema)}</div></details>`,
)}
</main></body>
</html>
`;
  return page.toString();
}

function entriesOf(document: ApiDocument): Entry[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.has(method))
      .map(([method, found]) => ({ ...(found as Operation), method, path })),
  );
}

function groupByTag(entries: readonly Entry[]): [string, readonly Entry[]][] {
  const tagOf = ({ tags }: Entry) => tags?.[0] ?? "Other";
  const tags = [...new Set(entries.map(tagOf))];
  return tags.map((tag) => [tag, entries.filter((entry) => tagOf(entry) === tag)]);
}

function operation(entry: Entry) {
  const { method, path, summary, parameters = [], requestBody, responses = {}, security } = entry;
  return html`<details>
<summary><span class="method ${method}">${method}</span> <code>${path}</code> <span class="what">${summary ?? ""}${security?.length ? " · API key" : ""}</span></summary>
<div class="body">
${
  parameters.length > 0
    ? html`<h3>Parameters</h3><table><tr><th>Name</th><th>In</th><th>Schema</th></tr>
${parameters.map((parameter) => html`<tr><td><code>${parameter.name}</code>${parameter.required ? " (required)" : ""}</td><td>${parameter.in}</td><td><code>${JSON.stringify(parameter.schema ?? {})}</code></td></tr>`)}</table>`
    : ""
}
${Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => html`<h3>Body, ${type}</h3>${code(schema)}`)}
<h3>Answers</h3>
<table>${Object.entries(responses).map(([status, { description, content }]) => html`<tr><td><code>${status}</code></td><td>${description ?? ""} ${Object.entries(content ?? {}).map(([type, { schema }]) => html`<br><code>${type}</code> <code>${JSON.stringify(schema ?? {})}</code>`)}</td></tr>`)}</table>
</div></details>`;
}

function code(schema: unknown) {
  return html`<pre>${JSON.stringify(schema, null, 2)}</pre>`;
}
