import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import express, { type Express } from "express";
import fastify, { type FastifyInstance } from "fastify";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { github, sign, standardWebhooks } from "../src/index.js";
import { run } from "./requirements.js";

// The README's code is what users copy: all of it is type-checked, and every recipe runs.
const root = fileURLToPath(new URL("..", import.meta.url));
const secret = "the-secret-of-the-recipe";
const body = '{"a":1}';
const headers = { "content-type": "application/json", ...sign(body, { scheme: github, secrets: [secret] }) };
const forged = { ...headers, "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
const read = (file: string) => readFile(join(root, file), "utf8");
const codeOf = (page: string) => [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code);
const work = { directory: "", blocks: [] as string[] };

beforeAll(async () => {
  work.directory = await mkdtemp(join(root, "node_modules/.readme-"));
  work.blocks = [...codeOf(await read("README.md")), ...codeOf(await read("../../docs/migrating-from-svix.md"))];
  process.env.WEBHOOK_SECRET = secret;
});

afterAll(async () => {
  delete process.env.WEBHOOK_SECRET;
  await rm(work.directory, { recursive: true, force: true });
});

/** A block that uses `app` as a module whose default export takes it. */
function asModule(code: string, type: string): string {
  if (!/^app\./m.test(code)) return code;
  const imports = code.match(/^import .*;$/gm) ?? [];
  const rest = code.replace(/^import .*;$/gm, "");
  return `${imports.join("\n")}\n${type === "Hono" ? 'import type { Hono } from "hono";' : type === "Express" ? 'import type { Express } from "express";' : 'import type { FastifyInstance } from "fastify";'}\nexport default (app: ${type}) => {${rest}};`;
}

const typeOf = (code: string) =>
  code.includes("fastifyWebhook") ? "FastifyInstance" : code.includes("c.req") ? "Hono" : "Express";

async function recipe<Module>(mark: string): Promise<Module> {
  const found = work.blocks.filter((code) => code.includes(mark));
  expect(found, mark).toHaveLength(1);
  const [code = ""] = found;
  const outfile = join(work.directory, `${mark.replace(/\W/g, "-")}.mjs`);
  const contents = asModule(code, typeOf(code));
  await build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "node",
    outfile,
    logLevel: "error",
  });
  return (await import(pathToFileURL(outfile).href)) as Module;
}

async function statuses(send: (headers: Record<string, string>) => Promise<{ status: number }>): Promise<number[]> {
  return [(await send(headers)).status, (await send(forged)).status];
}

describe("the README's code", () => {
  it("has no error of types", async () => {
    await Promise.all(
      work.blocks.map((code, index) =>
        writeFile(join(work.directory, `block-${index}.mts`), asModule(code, typeOf(code))),
      ),
    );
    const compilerOptions = {
      module: "nodenext",
      target: "es2023",
      lib: ["es2023", "dom"],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ["node"],
    };
    await writeFile(join(work.directory, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.mts"] }));
    const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
    const { stdout } = await run("node", [tsc, "-p", work.directory]).catch((error: { stdout: string }) => error);
    expect(stdout).toBe("");
  }, 60_000);

  it("the first example runs", async () => {
    const outfile = join(work.directory, "first.mjs");
    await build({
      stdin: { contents: work.blocks[0] ?? "", resolveDir: root, loader: "ts" },
      bundle: true,
      format: "esm",
      platform: "node",
      outfile,
    });
    const { stdout } = await run("node", [outfile]);
    expect(stdout).toMatch(/^msg_1 \d{10} \{ type: 'ticket\.created', data: \{ number: 'TKT-2026-001' \} \}\n$/);
  });

  it("Express", async () => {
    const app = express();
    (await recipe<{ default: (app: Express) => void }>("webhookMiddleware(")).default(app);
    // biome-ignore lint/complexity/useMaxParams: Express tells an error handler by its four parameters.
    app.use(((error, _request, response, next) => {
      if (error) response.sendStatus(error.statusCode);
      else next();
    }) satisfies express.ErrorRequestHandler);
    const server = app.listen(0, "127.0.0.1");
    onTestFinished(() => {
      server.close();
    });
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`;
    expect(await statuses((headers) => fetch(url, { method: "POST", headers, body }))).toEqual([204, 401]);
  });

  it("Fastify", async () => {
    const app = fastify();
    onTestFinished(() => app.close());
    (await recipe<{ default: (app: FastifyInstance) => void }>("fastifyWebhook,")).default(app);
    const url = `${await app.listen({ port: 0, host: "127.0.0.1" })}/webhooks`;
    expect(await statuses((headers) => fetch(url, { method: "POST", headers, body }))).toEqual([200, 401]);
  });

  it("Hono", async () => {
    const app = new Hono();
    (await recipe<{ default: (app: Hono) => void }>("c.req.raw")).default(app);
    expect(await statuses(async (headers) => app.request("/webhooks", { method: "POST", headers, body }))).toEqual([
      200, 401,
    ]);
  });

  it("Next and Remix", async () => {
    const { POST } = await recipe<{ POST: (request: Request) => Promise<Response> }>("function POST");
    expect(
      await statuses((headers) => POST(new Request("http://app.example/", { method: "POST", headers, body }))),
    ).toEqual([200, 401]);
  });

  it("Workers", async () => {
    type Worker = { default: { fetch: (request: Request, env: object) => Promise<Response> } };
    const { default: worker } = await recipe<Worker>("async fetch(");
    const request = (headers: Record<string, string>) =>
      new Request("http://app.example/", { method: "POST", headers, body });
    expect(await statuses((headers) => worker.fetch(request(headers), { WEBHOOK_SECRET: secret }))).toEqual([200, 401]);
  });

  it("the replay guard", async () => {
    process.env.WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const { receive } = await recipe<{ receive: (body: string, headers: object) => Promise<number> }>("guard.accept");
    const signed = sign(body, { scheme: standardWebhooks, secrets: [process.env.WEBHOOK_SECRET], id: "msg_1" });
    expect([await receive(body, signed), await receive(body, signed)]).toEqual([204, 200]);
    process.env.WEBHOOK_SECRET = secret;
  });

  it("names every code of an error, and every entry", async () => {
    const page = await read("README.md");
    const codes = [...(await read("src/errors.ts")).matchAll(/^ {2}\| "(\w+)"/gm)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(14);
    for (const code of codes) expect(page).toContain(`\`${code}\``);
    const { exports } = JSON.parse(await read("package.json")) as { exports: Record<string, unknown> };
    for (const entry of Object.keys(exports).filter((key) => key !== "." && key !== "./package.json")) {
      expect(page).toContain(`\`…${entry.slice(1)}\``);
    }
  });
});
