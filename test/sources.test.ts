import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

// What Biome does not see: `import("…")` in types and at run time, `globalThis.process`, `globalThis.console`.
const root = fileURLToPath(new URL("..", import.meta.url));

interface BiomeConfiguration {
  overrides: {
    includes: string[];
    linter: { rules: { style?: { noRestrictedImports?: { options: { patterns: { group: string[] }[] } } } } };
  }[];
}

/** What each package may not import, as biome.json has it. */
const forbidden = new Map(
  (JSON.parse(readFileSync(join(root, "biome.json"), "utf8")) as BiomeConfiguration).overrides.flatMap((override) => {
    const name = /^packages\/([\w-]+)\/src/.exec(override.includes[0] ?? "")?.[1];
    const rule = override.linter.rules.style?.noRestrictedImports;
    return name && rule ? [[name, rule.options.patterns.flatMap(({ group }) => group)] as const] : [];
  }),
);
const packages = readdirSync(join(root, "packages"));
const allowed = (name: string) =>
  packages.filter((other) => other !== name && !forbidden.get(name)?.includes(`@hookline/${other}`));

const sources = packages.flatMap((name) =>
  readdirSync(join(root, "packages", name, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => ({
      name,
      file: `packages/${name}/src/${file}`,
      text: readFileSync(join(root, "packages", name, "src", file), "utf8"),
    })),
);

describe("library sources", () => {
  it("has a lint rule for the arrows of every package", () => {
    expect(packages.filter((name) => !forbidden.has(name))).toEqual([]);
  });

  it("keeps the arrows in dynamic imports and import types too", () => {
    const broken = sources.flatMap(({ name, file, text }) =>
      [...text.matchAll(/import\(\s*["'](@hookline\/[\w-]+)/g)]
        .filter(([, imported]) => forbidden.get(name)?.includes(imported ?? ""))
        .map(([, imported]) => `${file} imports ${imported}`),
    );
    expect(broken).toEqual([]);
  });

  it("reaches for no global that only an app may use", () => {
    const broken = sources
      .filter(({ file }) => !file.endsWith("/src/bin.ts"))
      .filter(({ text }) => /globalThis\.(process|console)\b|\bprocess\.exit\(/.test(text))
      .map(({ file }) => file);
    expect(broken).toEqual([]);
  });

  it.each(packages)("documents in CONTRIBUTING.md what %s may import", (name) => {
    const row = readFileSync(join(root, "CONTRIBUTING.md"), "utf8")
      .split("\n")
      .find((line) => line.startsWith(`| ${name} |`));
    const documented = row?.split("|")[2]?.trim().split(", ").sort();
    expect(documented).toEqual(allowed(name).length === 0 ? ["nothing"] : allowed(name).sort());
  });
});

describe("the environment", () => {
  const read = (file: string) => readFileSync(join(root, file), "utf8");
  const namesIn = (text: string, pattern: RegExp) => [...new Set(text.match(pattern))].sort();
  const readers = ["api", "gateway-worker"].map((app) => read(`apps/${app}/src/environment.ts`)).join("\n");
  const examples = namesIn(read(".env.example"), /^[A-Z][A-Z0-9_]*(?==)/gm);

  it("has in .env.example each variable that the apps read, and no other", () => {
    expect(examples).toEqual(namesIn(readers, /(?<=^ {2})[A-Z][A-Z0-9_]*(?=:)/gm));
  });

  it("has in .env.example each variable that the README names", () => {
    const unknown = namesIn(read("README.md"), /\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b/g).filter(
      (name) => !examples.includes(name),
    );
    expect(unknown).toEqual([]);
  });
});
