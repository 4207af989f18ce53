import { readFileSync } from "node:fs";

/** @param {readonly string[]} names of packages that the bench depends on */
export function versionsOf(names) {
  const read = (name) =>
    JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), "utf8"));
  return Object.fromEntries(names.map((name) => [name, read(name).version]));
}
