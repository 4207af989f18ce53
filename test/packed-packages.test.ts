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

beforeAll(async () => {
  project.directory = await mkdtemp(join(tmpdir(), "hookline-packed-"));
  const tarballs = join(project.directory, "tarballs");
  await mkdir(tarballs);
  for (const name of await readdir(join(root, "packages"))) {
    const folder = join(root, "packages", name);
    const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
    if (manifest.private) continue;
    await run("node", [join(root, "scripts/pm.mjs"), "--dir", folder, "pack", "--pack-destination", tarballs]);
    project.specifiers.push(
      ...Object.keys(manifest.exports)
        .filter((subpath) => subpath !== "./package.json")
        .map((subpath) => manifest.name + subpath.slice(1)),
    );
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

async function exportsSeenBy(file: string, [command, ...args]: [string, ...string[]]): Promise<number[]> {
  const { stdout } = await run(command, [...args, file], { cwd: project.directory });
  return JSON.parse(stdout) as number[];
}

describe("the packed packages, installed in an empty project", () => {
  it.each([
    ["ESM", "import.mjs", esm],
    ["CommonJS", "require.cjs", commonJs],
  ])("import as %s", async (_, file, source) => {
    await writeFile(join(project.directory, file), source());
    const counts = await exportsSeenBy(file, ["node"]);
    expect(counts).toHaveLength(project.specifiers.length);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  it.each([22, 24])(
    "import as ESM and as CommonJS under Node %i",
    async (major) => {
      await writeFile(join(project.directory, "import.mjs"), esm());
      await writeFile(join(project.directory, "require.cjs"), commonJs());
      const node: [string, ...string[]] = ["npx", "--yes", `node@${major}`];
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
});
