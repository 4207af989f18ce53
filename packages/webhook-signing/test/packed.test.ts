import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run, skipWithout } from "./requirements.js";

// What a user gets: packed, installed with npm into an empty project, and used there in every way.
const root = fileURLToPath(new URL("..", import.meta.url));
const project = { directory: "" };
const checksOfAllBuilds = 14 * 2 + 1;

const esm = `
import * as main from "@hookline/webhook-signing";
import * as web from "@hookline/webhook-signing/web";
import { verifyRequest } from "@hookline/webhook-signing/fetch";
import { readRawBody, webhookMiddleware, webhookOf, fastifyWebhook } from "@hookline/webhook-signing/node";
import { runSuite } from "./runtime-suite.mjs";
report(main, web, { verifyRequest, readRawBody, webhookMiddleware, webhookOf, fastifyWebhook }, runSuite);
`;
const commonJs = `
const main = require("@hookline/webhook-signing");
const web = require("@hookline/webhook-signing/web");
const adapters = { ...require("@hookline/webhook-signing/fetch"), ...require("@hookline/webhook-signing/node") };
import("./runtime-suite.mjs").then(({ runSuite }) => report(main, web, adapters, runSuite));
`;
const report = `
async function report(main, web, adapters, runSuite) {
  const outcomes = [await runSuite(main), await runSuite(web)];
  const options = { scheme: main.standardWebhooks, secrets: [main.generateSecret()] };
  const headers = main.sign("[1]", { ...options, id: "msg_1" });
  const request = new Request("http://app.example/", { method: "POST", headers, body: "[1]" });
  const { id } = await adapters.verifyRequest(request, options);
  const complete = Object.values(adapters).every((adapter) => typeof adapter === "function");
  outcomes.push(id === "msg_1" && complete ? { passed: ["adapters"], failed: [] } : { passed: [], failed: ["adapters"] });
  console.log(JSON.stringify({ node: process.versions.node, passed: outcomes.flatMap((o) => o.passed).length, failed: outcomes.flatMap((o) => o.failed) }));
}
`;
const typed = `
import {
  bodyHmac, createMemoryReplayStore, createReplayGuard, defineScheme, generateKeyPair, sign, standardWebhooks, verify,
  type VerifiedWebhook, WebhookVerificationError, type WebhookVerificationErrorCode,
} from "@hookline/webhook-signing";
import * as web from "@hookline/webhook-signing/web";
import { verifyRequest } from "@hookline/webhook-signing/fetch";
import { webhookMiddleware, webhookOf } from "@hookline/webhook-signing/node";

const options = { scheme: standardWebhooks, secrets: [web.generateSecret()] };
const headers: Record<string, string> = sign("{}", { ...options, id: "msg_1", timestamp: 1 });
const text: VerifiedWebhook<string> = verify("{}", headers, options);
const bytes: VerifiedWebhook<Uint8Array> = verify(new Uint8Array(), new Headers(), { ...options, toleranceSeconds: { past: 1, future: 0 } });
const later: Promise<VerifiedWebhook<string>> = web.verify("{}", headers, options);
const fetched: Promise<VerifiedWebhook<Uint8Array>> = verifyRequest(new Request("http://app.example/"), options);
const own = defineScheme({ name: "own", signatureHeader: "x-own", contentPrefix: ({ timestamp }) => timestamp });
const code: WebhookVerificationErrorCode = new WebhookVerificationError("missing_header", "").code;
const pair: { privateKey: string; publicKey: string } = generateKeyPair();
const parsed: { a: number } = text.json<{ a: number }>();
export const all = [bytes, later, fetched, own, code, pair, parsed, webhookMiddleware(options), webhookOf, bodyHmac({ signatureHeader: "x" }), createReplayGuard(createMemoryReplayStore())];
// @ts-expect-error an id is a string, where there is one
text.id satisfies number;
// @ts-expect-error a secret alone is no list
verify("{}", headers, { scheme: standardWebhooks, secrets: "whsec_" });
// @ts-expect-error a parsed body cannot be verified
verify({ parsed: true }, headers, options);
`;

beforeAll(async () => {
  project.directory = await mkdtemp(join(tmpdir(), "hookline-signing-"));
  const { directory } = project;
  await run("npm", ["pack", "--ignore-scripts", "--pack-destination", directory], { cwd: root });
  const [tarball = ""] = (await readdir(directory)).filter((file) => file.endsWith(".tgz"));
  await writeFile(join(directory, "package.json"), JSON.stringify({ name: "empty-project", private: true }));
  const install = ["install", "--offline", "--no-audit", "--no-fund", join(directory, tarball)];
  await run("npm", install, { cwd: directory });
  const suite = { entryPoints: [join(root, "test/runtime-suite.ts")], outfile: join(directory, "runtime-suite.mjs") };
  await build({ ...suite, format: "esm", logLevel: "error" });
  await writeFile(join(directory, "esm.mjs"), esm + report);
  await writeFile(join(directory, "common.cjs"), commonJs + report);
}, 120_000);

afterAll(() => rm(project.directory, { recursive: true, force: true }));

async function outcomeOf(file: string, node: string) {
  const { stdout } = await run(node, [file], { cwd: project.directory });
  return JSON.parse(stdout) as { node: string; passed: number; failed: string[] };
}

/** The npm package "node" carries the binary. */
async function nodeBinary(major: number): Promise<string | undefined> {
  const args = ["--yes", "--prefer-offline", `node@${major}`, "-p", "process.execPath"];
  return run("npx", args, { timeout: 150_000 }).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

describe("the packed package in an empty project", () => {
  it.each(["esm.mjs", "common.cjs"])("works as %s in this Node", async (file) => {
    expect(await outcomeOf(file, process.execPath)).toMatchObject({ passed: checksOfAllBuilds, failed: [] });
  });

  for (const major of [20, 22, 24].filter((major) => major !== Number(process.versions.node.split(".")[0]))) {
    it(`works as ESM and as CommonJS in Node ${major}`, async (context) => {
      const node = (await nodeBinary(major)) ?? skipWithout(context, `npm has no node@${major} here`);
      for (const file of ["esm.mjs", "common.cjs"]) {
        const outcome = await outcomeOf(file, node);
        expect(outcome).toMatchObject({ passed: checksOfAllBuilds, failed: [] });
        expect(outcome.node.split(".")[0]).toBe(`${major}`);
      }
    }, 180_000);
  }

  it.each([
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ])(
    "has types for TypeScript with module %s and moduleResolution %s, from ESM and CommonJS",
    async (module, moduleResolution) => {
      const directory = join(project.directory, moduleResolution);
      await mkdir(directory);
      for (const file of ["usage.mts", "usage.cts"]) await writeFile(join(directory, file), typed);
      const compilerOptions = {
        module,
        moduleResolution,
        target: "es2023",
        lib: ["es2023", "dom"],
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: true,
        types: ["node"],
        typeRoots: [dirname(dirname(createRequire(import.meta.url).resolve("@types/node/package.json")))],
      };
      await writeFile(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["usage.*"] }));
      const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
      const { stdout } = await run("node", [tsc, "-p", directory]).catch((error: { stdout: string }) => error);
      expect(stdout).toBe("");
    },
    120_000,
  );

  it("contains the builds, README, license and package.json, and nothing else", async () => {
    const installed = join(project.directory, "node_modules/@hookline/webhook-signing");
    expect((await readdir(installed)).sort()).toEqual(["LICENSE", "README.md", "dist", "package.json"]);
  });
});
