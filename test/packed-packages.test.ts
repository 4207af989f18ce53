import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// What a user gets: each published package packed, installed with npm into an empty project, imported in every way.
const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
const project = { directory: "", specifiers: [] as string[] };

interface Manifest {
  name: string;
  private?: boolean;
  exports: Record<string, unknown>;
}

async function readManifests(): Promise<Manifest[]> {
  const folders = await readdir(join(root, "packages"));
  const read = (folder: string) => readFile(join(root, "packages", folder, "package.json"), "utf8");
  const manifests = (await Promise.all(folders.map(read))).map((text): Manifest => JSON.parse(text));
  return manifests.filter((manifest) => !manifest.private);
}

beforeAll(async () => {
  project.directory = await mkdtemp(join(tmpdir(), "hookline-packed-"));
  const tarballs = join(project.directory, "tarballs");
  await mkdir(tarballs);
  const pack = ["--recursive", "--filter", "./packages/*", "pack", "--pack-destination", tarballs];
  const [manifests] = await Promise.all([readManifests(), run("node", [join(root, "scripts/pm.mjs"), ...pack])]);
  for (const { name, exports } of manifests) {
    const subpaths = Object.keys(exports).filter((subpath) => subpath !== "./package.json");
    project.specifiers.push(...subpaths.map((subpath) => name + subpath.slice(1)));
  }
  await writeFile(join(project.directory, "package.json"), JSON.stringify({ name: "empty-project", private: true }));
  const packed = (await readdir(tarballs)).map((file) => join(tarballs, file));
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts", ...packed], {
    cwd: project.directory,
  });
}, 240_000);

afterAll(() => rm(project.directory, { recursive: true, force: true }));

const esm = () =>
  `${project.specifiers.map((name, index) => `import * as m${index} from "${name}";`).join("\n")}
console.log(JSON.stringify([${project.specifiers.map((_, index) => `Object.keys(m${index}).length`)}]));\n`;
const commonJs = () =>
  `console.log(JSON.stringify([${project.specifiers.map((name) => `Object.keys(require("${name}")).length`)}]));\n`;

const DELIVER = `
async function deliver() {
  const database = await openDatabase("pglite://memory");
  const encryptionKey = Buffer.alloc(32).toString("base64");
  const addressGuard = { allow: ["127.0.0.0/8"], allowHttp: true };
  const dispatcher = createDispatcher({ database, encryptionKey, addressGuard });
  await dispatcher.migrate();
  await dispatcher.start();
  const receiver = await createReceiver();
  const target = { url: receiver.url };
  const { secret } = await dispatcher.endpoints.create({ tenantId: "acme", target, events: ["ticket.*"] });
  receiver.useSecret(secret);
  await dispatcher.publish({ tenantId: "acme", type: "ticket.created", data: { number: 1 } });
  const [request] = await receiver.waitFor(1, 30_000);
  console.log(request.verified, request.json().type);
  await dispatcher.stop();
  await receiver.close();
  await database.close();
}
deliver();
`;

async function exportsSeenBy(file: string, node: string): Promise<number[]> {
  const { stdout } = await run(node, [file], { cwd: project.directory });
  return JSON.parse(stdout) as number[];
}

describe("H14 the packed packages, up to their publication: installed in an empty project", () => {
  it.each([
    ["ESM", "import.mjs", esm],
    ["CommonJS", "require.cjs", commonJs],
  ])("import as %s", async (_, file, source) => {
    await writeFile(join(project.directory, file), source());
    const counts = await exportsSeenBy(file, process.execPath);
    expect(counts).toHaveLength(project.specifiers.length);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  it.each([
    [
      "ESM",
      "deliver.mjs",
      `import { createDispatcher } from "@hookline/dispatcher";
import { createReceiver } from "@hookline/dispatcher/testing";
import { openDatabase } from "@hookline/postgres";`,
    ],
    [
      "CommonJS",
      "deliver.cjs",
      `const { createDispatcher } = require("@hookline/dispatcher");
const { createReceiver } = require("@hookline/dispatcher/testing");
const { openDatabase } = require("@hookline/postgres");`,
    ],
  ])(
    "deliver a webhook that the receiver for tests verifies, as %s",
    async (_, file, imports) => {
      await writeFile(join(project.directory, file), `${imports}\n${DELIVER}`);
      const { stdout } = await run(process.execPath, [file], { cwd: project.directory });
      expect(stdout).toBe("true ticket.created\n");
    },
    60_000,
  );

  it.each([22, 24])(
    "import as ESM and as CommonJS under Node %i",
    async (major) => {
      await writeFile(join(project.directory, "import.mjs"), esm());
      await writeFile(join(project.directory, "require.cjs"), commonJs());
      // The npm package "node" carries the binary.
      const { stdout } = await run("npx", ["--yes", "--prefer-offline", `node@${major}`, "-p", "process.execPath"]);
      const node = stdout.trim();
      const [imported, required] = [await exportsSeenBy("import.mjs", node), await exportsSeenBy("require.cjs", node)];
      expect(Math.min(...imported, ...required)).toBeGreaterThan(0);
    },
    180_000,
  );

  it.each([
    ["nodenext", { module: "nodenext", moduleResolution: "nodenext" }],
    ["bundler", { module: "esnext", moduleResolution: "bundler" }],
  ])(
    "have types that TypeScript resolves under %s",
    async (name, resolution) => {
      const directory = join(project.directory, name);
      await mkdir(directory, { recursive: true });
      await writeFile(
        join(directory, "all.mts"),
        `${project.specifiers.map((specifier, index) => `import * as m${index} from "${specifier}";`).join("\n")}
export const all = [${project.specifiers.map((_, index) => `m${index}`)}];\n`,
      );
      await writeFile(
        join(directory, "tsconfig.json"),
        JSON.stringify({
          compilerOptions: {
            ...resolution,
            target: "es2023",
            lib: ["es2023", "dom"],
            strict: true,
            noEmit: true,
            skipLibCheck: true,
            types: [],
          },
          include: ["all.mts"],
        }),
      );
      const tsc = join(root, "node_modules/typescript/bin/tsc");
      const { stdout } = await run("node", [tsc, "-p", directory], { cwd: project.directory }).catch(
        (error: { stdout: string }) => error,
      );
      expect(stdout).toBe("");
    },
    120_000,
  );

  it("have types that hold with those of Node alone, of what every user of the dispatcher installs", async () => {
    const directory = join(project.directory, "checked-libraries");
    await mkdir(directory, { recursive: true });
    const specifiers = project.specifiers.filter((name) =>
      /^@hookline\/(core|webhook-signing|postgres|dispatcher)(?!\/http)/.test(name),
    );
    expect(specifiers.length).toBeGreaterThan(6);
    const source = specifiers.map((specifier, index) => `export * as m${index} from "${specifier}";\n`).join("");
    await writeFile(join(directory, "all.mts"), source);
    const compilerOptions = {
      module: "nodenext",
      target: "es2023",
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      typeRoots: [join(root, "node_modules/@types")],
      types: ["node"],
    };
    await writeFile(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["all.mts"] }));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { stdout } = await run("node", [tsc, "-p", directory], { cwd: project.directory }).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe("");
  }, 120_000);
});
