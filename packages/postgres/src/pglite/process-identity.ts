import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { promisify } from "node:util";

/** Tells one process from every other that has or had the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the machine's own terms; null where that cannot be told. */
  readonly startMarker: string | null;
  readonly host: string;
}

/** This process. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  return { pid: process.pid, startMarker: await startMarkerOf(process.pid), host: hostname() };
}

/** Whether a process of this host still runs. A later process with the same id is another one. */
export async function isRunning({ pid, startMarker }: ProcessIdentity): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as somebody else.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const current = await startMarkerOf(pid);
  return startMarker === null || current === null || current === startMarker;
}

async function startMarkerOf(pid: number): Promise<string | null> {
  try {
    if (process.platform === "linux") {
      const [stat, boot] = await Promise.all([
        readFile(`/proc/${pid}/stat`, "utf8"),
        readFile("/proc/sys/kernel/random/boot_id", "utf8"),
      ]);
      // The command's name may hold spaces and brackets, so count from its end: field 22 is the start time.
      const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
      return `${boot.trim()} ${ticks}`;
    }
    if (process.platform === "win32") return null;
    const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]);
    return stdout.trim() || null;
  } catch {
    // Nothing can be told: the process id alone has to do.
    return null;
  }
}
