import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { afterEach, describe, expect, it } from "vitest";
import * as main from "../src/index.js";
import * as web from "../src/web/index.js";
import { skipWithout } from "./requirements.js";
import { runSuite } from "./runtime-suite.js";
import { standardVector } from "./vectors.js";

// The same suite in a browser and in an edge runtime, on what is built: see runtime-suite.ts. Node 20, 22 and 24 run it
// in packed.test.ts.
const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "../dist");
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** What the suite checks, seen in this Node. */
const { passed: checks, failed } = await runSuite(web);

it("the suite holds in this Node, on both builds", async () => {
  expect([failed, checks.length]).toEqual([[], 14]);
  expect(await runSuite(main as never)).toEqual({ passed: checks, failed: [] });
});

interface Outcome {
  readonly passed: string[];
  readonly failed: string[];
}

/** As an application would ship it: one ES module without a trace of Node. */
async function bundle(source: string): Promise<string> {
  const built = await build({
    stdin: { contents: source, resolveDir: here },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    write: false,
    logLevel: "error",
  });
  return built.outputFiles[0]?.text ?? "";
}

describe("./web in a browser", () => {
  it("runs the whole suite in headless Chromium", async (context) => {
    const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
      existsSync,
    );
    if (executablePath === undefined) return skipWithout(context, "no Chromium is installed");
    const script = await bundle(`
      import * as web from "${dist}/web.js";
      import { runSuite } from "./runtime-suite.ts";
      globalThis.outcome = runSuite(web);`);
    const server = createServer((request, response) => {
      const isScript = request.url === "/suite.js";
      response.writeHead(200, { "content-type": isScript ? "text/javascript" : "text/html" });
      response.end(isScript ? script : `<!doctype html><script type="module" src="/suite.js"></script>`);
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    cleanups.push(() => server.close());
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    cleanups.push(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const outcome = (await page.evaluate("globalThis.outcome")) as Outcome;
    expect(outcome.failed).toEqual([]);
    expect(outcome.passed).toEqual(checks);
  }, 60_000);
});

describe("./web and ./fetch in an edge runtime", () => {
  it("runs the whole suite in workerd, and verifies a real request there", async (context) => {
    const workerd = workerdBinary();
    if (workerd === undefined) return skipWithout(context, "workerd has no binary for this platform");
    const directory = await mkdtemp(join(tmpdir(), "hookline-workerd-"));
    cleanups.push(() => rm(directory, { recursive: true, force: true }));
    const worker = await bundle(`
      import * as web from "${dist}/web.js";
      import { verifyRequest } from "${dist}/fetch-web.js";
      import { runSuite } from "./runtime-suite.ts";
      export default {
        async fetch(request, env) {
          if (request.method === "GET") return Response.json(await runSuite(web));
          try {
            const { id, json } = await verifyRequest(request, { scheme: web.standardWebhooks, secrets: [env.SECRET] });
            return Response.json({ id, parsed: json() });
          } catch (error) {
            return new Response(error.code, { status: error.statusCode ?? 500 });
          }
        },
      };`);
    await writeFile(join(directory, "worker.js"), worker);
    await writeFile(join(directory, "config.capnp"), workerdConfig);
    const url = await startWorkerd(workerd, directory);

    const outcome = (await (await fetch(url)).json()) as Outcome;
    expect(outcome.failed).toEqual([]);
    expect(outcome.passed).toEqual(checks);

    const headers = main.sign("[1]", { scheme: main.standardWebhooks, secrets: [standardVector.secret], id: "msg_1" });
    const accepted = await fetch(url, { method: "POST", headers, body: "[1]" });
    expect([accepted.status, await accepted.json()]).toEqual([200, { id: "msg_1", parsed: [1] }]);
    const refused = await fetch(url, { method: "POST", headers, body: "[2]" });
    expect([refused.status, await refused.text()]).toEqual([401, "signature_mismatch"]);
  }, 60_000);
});

const workerdConfig = `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker", esModule = embed "worker.js")],
    bindings = [(name = "SECRET", text = "${standardVector.secret}")],
    compatibilityDate = "2025-01-01",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;

/** By `require`, since workerd comes without types. */
function workerdBinary(): string | undefined {
  const require = createRequire(import.meta.url);
  const { default: path } = require("workerd") as { default: string };
  const found = require.resolve("workerd/bin/workerd");
  return existsSync(path) ? path : existsSync(found) ? found : undefined;
}

/** Starts it on a free port, which it tells on a third pipe. */
async function startWorkerd(binary: string, directory: string): Promise<string> {
  const child = spawn(binary, ["serve", "config.capnp", "--control-fd=3"], {
    cwd: directory,
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  cleanups.push(() => child.kill());
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`workerd ended with ${code}`)));
    (child.stdio[3] as Readable).on("data", (line: Buffer) => {
      const { port } = JSON.parse(line.toString().split("\n")[0] ?? "{}") as { port?: number };
      if (port !== undefined) resolve(`http://127.0.0.1:${port}/`);
    });
  });
}
