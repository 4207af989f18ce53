import { type ChildProcessByStdio, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, unlink, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Database, openDatabase } from "../dist/index.js";
import { createPgliteDirectory } from "../dist/testing.js";
import { until } from "./until.js";

const program = fileURLToPath(new URL("./programs/hold-directory.mjs", import.meta.url));

describe("the embedded database's directory", () => {
  let home: string;
  let counter = 0;
  const children: ChildProcessByStdio<null, Readable, null>[] = [];
  const opened: Database[] = [];

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "hookline-pglite-"));
    await createPgliteDirectory(`${home}/template`);
    const database = await openDatabase(`pglite://${home}/template`);
    await database.query("create table kept (id int8); insert into kept values (1)");
    await database.close();
  }, 120_000);

  afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    await Promise.allSettled(opened.map((database) => database.close()));
    await rm(home, { recursive: true, force: true });
  });

  async function copyOfTemplate(): Promise<string> {
    const directory = join(home, `data ${counter++}`);
    await cp(join(home, "template"), directory, { recursive: true });
    return directory;
  }

  async function open(directory: string): Promise<Database> {
    const database = await openDatabase(`pglite://${directory}`);
    opened.push(database);
    return database;
  }

  function hold(directory: string) {
    const child = spawn(process.execPath, [program, directory], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    return { child, output: () => output };
  }

  it("keeps what was written, over a close and another opening", async () => {
    const directory = await copyOfTemplate();
    const database = await open(directory);
    expect(await database.query("select id from kept")).toEqual([{ id: 1 }]);
    await database.query("insert into kept values (2)");
    await database.close();
    expect(await readdir(directory)).toEqual(["pgdata"]);
    const again = await open(directory);
    expect(await again.query("select id from kept order by id")).toEqual([{ id: 1 }, { id: 2 }]);
    await again.close();
  });

  it("refuses a second opening in the same process, and leaves the first alone", async () => {
    const directory = await copyOfTemplate();
    const database = await open(directory);
    await expect(open(directory)).rejects.toMatchObject({
      code: "directory_locked",
      message: expect.stringContaining("this process"),
    });
    expect(await database.query("select id from kept")).toEqual([{ id: 1 }]);
    await database.close();
    await (await open(directory)).close();
  });

  it("refuses a directory that another process uses, and takes it over, with every commit, after kill -9", async () => {
    const directory = await copyOfTemplate();
    const { child, output } = hold(directory);
    await until(() => output().includes("committed 20\n"));
    await expect(open(directory)).rejects.toMatchObject({
      code: "directory_locked",
      message: expect.stringContaining(`process ${child.pid}`),
    });
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    expect(await readdir(directory)).toContain("lock");

    const acknowledged = Number(output().match(/committed (\d+)\n(?!.*committed)/s)?.[1]);
    const database = await open(directory);
    const [row] = await database.query<{ count: number; last: number }>(
      "select count(*) as count, max(id) as last from numbers",
    );
    expect(row?.last).toBeGreaterThanOrEqual(acknowledged);
    expect(row?.count).toBe((row?.last ?? 0) + 1);
    await database.close();
  });

  it("lets one of several processes in that find a dead one's lock at the same time", async () => {
    const directory = await copyOfTemplate();
    const dead = { pid: 2 ** 22 + 1, startMarker: "long ago", host: hostname(), token: "stale" };
    await writeFile(join(directory, "lock"), JSON.stringify(dead));
    const holders = [hold(directory), hold(directory), hold(directory)];
    await until(() => holders.every(({ output }) => /open|refused/.test(output())), 60_000);
    const said = holders.map(({ output }) => output().split("\n")[0]).sort();
    expect(said).toEqual(["open", "refused directory_locked", "refused directory_locked"]);
    for (const { child } of holders) child.kill("SIGKILL");
  }, 90_000);

  it("stops before it writes past another process when its lock was taken away", async () => {
    const directory = await copyOfTemplate();
    const database = await open(directory);
    const thief = { pid: 1, startMarker: "x", host: "elsewhere", token: "thief" };
    await writeFile(join(directory, "lock"), JSON.stringify(thief));
    await until(async () => (await database.query("select 1").catch((error: unknown) => error)) instanceof Error);
    await expect(database.query("insert into kept values (3)")).rejects.toMatchObject({ code: "directory_locked" });
    await database.close();
    expect(JSON.parse(await readFile(join(directory, "lock"), "utf8"))).toEqual(thief);
  });

  it.each<[string, (directory: string) => Promise<void>]>([
    ["PG_VERSION is missing", (directory) => unlink(join(directory, "pgdata/PG_VERSION"))],
    ["the control file is cut off", (directory) => truncate(join(directory, "pgdata/global/pg_control"), 100)],
    ["another major version wrote it", (directory) => writeFile(join(directory, "pgdata/PG_VERSION"), "12\n")],
    ["a catalogue is missing", (directory) => rm(join(directory, "pgdata/base"), { recursive: true })],
    [
      "it is a bare Postgres directory",
      async (directory) => {
        await cp(join(directory, "pgdata"), directory, { recursive: true });
        await rm(join(directory, "pgdata"), { recursive: true });
      },
    ],
  ])("says directory_corrupt when %s, gives the lock back and removes nothing", async (_title, damage) => {
    const directory = await copyOfTemplate();
    await damage(directory);
    const before = await readdir(directory, { recursive: true });
    const error = await open(directory).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "DatabaseError", code: "directory_corrupt" });
    expect(String(error)).toContain(directory);
    const after = new Set(await readdir(directory, { recursive: true }));
    expect(before.filter((name) => !after.has(name) && !/postmaster\.pid|pg_internal\.init/.test(name))).toEqual([]);
    expect(after).not.toContain("lock");
  });

  it("says directory_unusable when the directory cannot be made", async () => {
    await writeFile(join(home, "a file"), "");
    await expect(open(join(home, "a file/data"))).rejects.toMatchObject({ code: "directory_unusable" });
    await expect(open(join(home, "a file"))).rejects.toMatchObject({ code: "directory_unusable" });
  });

  it("clears away a first start that was interrupted, and leaves other files alone", async () => {
    const directory = join(home, "interrupted");
    await mkdir(join(directory, "pgdata.new-1234", "base"), { recursive: true });
    await writeFile(join(directory, "notes.txt"), "mine");
    await (await open(directory)).close();
    expect((await readdir(directory)).sort()).toEqual(["notes.txt", "pgdata"]);
  }, 120_000);

  it("refuses a URL without a directory", async () => {
    await expect(openDatabase("pglite://")).rejects.toMatchObject({ code: "invalid_url" });
    // As of an environment that does not name it.
    await expect(openDatabase(undefined as unknown as string)).rejects.toMatchObject({ code: "invalid_url" });
  });
});
