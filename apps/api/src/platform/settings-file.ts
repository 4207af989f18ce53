import { randomBytes } from "node:crypto";
import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { parseEnv } from "node:util";

/** Settings by their names, as an `.env` file holds them. */
export type Settings = Readonly<Record<string, string | undefined>>;

const OWNER_ONLY = 0o600;
const SAFE_VALUE = /^[\x21-\x7e]+$/;

/** What the file holds; nothing where there is no file. */
export async function readSettings(path: string): Promise<Settings> {
  const text = await textOf(path);
  return text === null ? {} : parseEnv(text);
}

/**
 * Sets values in the file and leaves every other line as it is. The file is replaced as a whole, so that a crash leaves
 * the old one or the new one; a new file is its owner's only.
 *
 * Throws a TypeError for a value that an `.env` file can't hold on one line.
 */
export async function writeSettings(path: string, values: Readonly<Record<string, string>>): Promise<void> {
  const lines = ((await textOf(path)) ?? "").replace(/\n$/, "").split("\n");
  for (const [name, value] of Object.entries(values)) {
    const line = lineOf(name, value);
    const at = lines.findLastIndex((one) => one.startsWith(`${name}=`));
    if (at === -1) lines.push(line);
    else lines[at] = line;
  }
  const mode = await stat(path).then(
    (known) => known.mode & 0o777,
    () => OWNER_ONLY,
  );
  const next = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(next, `${lines.join("\n").replace(/^\n/, "")}\n`, { mode, flag: "wx" });
  await rename(next, path);
}

function lineOf(name: string, value: string): string {
  if (!SAFE_VALUE.test(value) || value.includes('"')) {
    throw new TypeError(`${name} has characters that an .env file can't hold: spaces, quotes or others beyond ASCII.`);
  }
  return /[#'`\\$]/.test(value) ? `${name}="${value}"` : `${name}=${value}`;
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
