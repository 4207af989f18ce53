import { randomUUID } from "node:crypto";
import { type FileHandle, open, readFile, stat, unlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseError } from "../errors.js";
import { isRunning, ownIdentity, type ProcessIdentity } from "./process-identity.js";

/** What keeps a second process out of a data directory, where it would silently write past the first. */
export interface DirectoryLock {
  release(): Promise<void>;
}

export interface DirectoryLockOptions {
  readonly directory: string;
  /** Called once when somebody else has taken the lock, such as after a long sleep of the machine. */
  readonly onLost: (error: DatabaseError) => void;
  /** How often the lock is renewed (2 000). */
  readonly heartbeatMs?: number;
}

const DEFAULTS = { heartbeatMs: 2_000 } as const;
const MAX_TURNS = 20;
/** A lock that cannot be read is being written just now, or its writer died in the middle. */
const UNREADABLE_GRACE_MS = 2_000;

interface LockContent extends ProcessIdentity {
  readonly token: string;
}

/**
 * Takes the directory's lock file; one that a dead process left is taken over.
 *
 * @throws DatabaseError `directory_locked`
 */
export async function lockDirectory(options: DirectoryLockOptions): Promise<DirectoryLock> {
  const { directory, onLost, heartbeatMs = DEFAULTS.heartbeatMs } = options;
  const path = join(directory, "lock");
  const own: LockContent = { ...(await ownIdentity()), token: randomUUID() };
  for (let turn = 0; !(await create(path, own)); turn++) {
    if (turn >= MAX_TURNS) throw locked(directory, "another process that starts at the same time");
    await makeWay({ path, directory, own, heartbeatMs });
  }

  let ended = false;
  const heartbeat = setInterval(() => {
    renew(path, own).catch((error: unknown) => {
      // A renewal may be under way when the one before it fails, or when the lock is given back.
      if (ended) return;
      ended = true;
      clearInterval(heartbeat);
      onLost(lost(directory, error));
    });
  }, heartbeatMs);
  heartbeat.unref();
  return {
    async release() {
      ended = true;
      clearInterval(heartbeat);
      const current = await readLock(path);
      if (isSame(current, own)) await unlink(path);
    },
  };
}

async function create(path: string, content: LockContent): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, "wx");
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
  try {
    await file.writeFile(`${JSON.stringify(content)}\n`);
  } finally {
    await file.close();
  }
  return true;
}

async function renew(path: string, own: LockContent): Promise<void> {
  const current = await readLock(path);
  if (!isSame(current, own)) throw new Error("the lock file is no longer ours");
  const now = new Date();
  await utimes(path, now, now);
}

interface Contest {
  readonly path: string;
  readonly directory: string;
  readonly own: LockContent;
  readonly heartbeatMs: number;
}

/** Removes a lock whose holder is gone; returns when it is worth another try. */
async function makeWay({ path, directory, own, heartbeatMs }: Contest): Promise<void> {
  const holder = await readLock(path);
  if (holder === undefined) return;
  if (holder === "unreadable") {
    await delay(UNREADABLE_GRACE_MS / 10);
    if (!(await isOlderThan(path, UNREADABLE_GRACE_MS))) return;
  } else if (holder.host === own.host) {
    if (await isRunning(holder)) {
      const who = holder.pid === own.pid ? "this process itself" : `process ${holder.pid}`;
      throw locked(directory, who);
    }
  } else if (await isRenewed(path, heartbeatMs)) {
    throw locked(directory, `process ${holder.pid} on ${holder.host}`);
  }
  await removeStale(path, holder);
}

/**
 * Of several processes that found the same stale lock, the one that makes the election file removes it. Without that,
 * the slower one would remove the lock that the faster one has just made.
 */
async function removeStale(path: string, stale: LockContent | "unreadable"): Promise<void> {
  const election = `${path}.takeover-${stale === "unreadable" ? stale : stale.token}`;
  try {
    await (await open(election, "wx")).close();
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    if (await isOlderThan(election, UNREADABLE_GRACE_MS * 5)) await removeIfThere(election);
    await delay(50);
    return;
  }
  try {
    const current = await readLock(path);
    if (current !== undefined && isSame(current, stale)) await removeIfThere(path);
  } finally {
    await removeIfThere(election);
  }
}

type LockState = LockContent | "unreadable" | undefined;

function isSame(one: LockState, other: LockState): boolean {
  if (typeof one !== "object" || typeof other !== "object") return one === other;
  return one.token === other.token;
}

async function readLock(path: string): Promise<LockState> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const content: Partial<LockContent> = JSON.parse(text);
    return typeof content.pid === "number" && typeof content.token === "string"
      ? (content as LockContent)
      : "unreadable";
  } catch {
    return "unreadable";
  }
}

// Watched instead of compared with our clock: the other host's may differ.
async function isRenewed(path: string, heartbeatMs: number): Promise<boolean> {
  const before = await modifiedAt(path);
  for (let turn = 0; turn < 7; turn++) {
    await delay(heartbeatMs / 2);
    if ((await modifiedAt(path)) !== before) return true;
  }
  return false;
}

async function isOlderThan(path: string, ageMs: number): Promise<boolean> {
  const at = await modifiedAt(path);
  return at !== undefined && Date.now() - at > ageMs;
}

async function modifiedAt(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (codeOf(error) !== "ENOENT") throw error;
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function locked(directory: string, holder: string): DatabaseError {
  return new DatabaseError(
    "directory_locked",
    `${directory} is in use by ${holder}. An embedded database serves one process; several need a Postgres server.`,
  );
}

function lost(directory: string, cause: unknown): DatabaseError {
  return new DatabaseError(
    "directory_locked",
    `The lock of ${directory} was lost, so the database was stopped before it could write past another process.`,
    { cause },
  );
}
