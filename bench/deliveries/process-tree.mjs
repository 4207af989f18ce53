// CPU time of a process with all that it started, from /proc: what others took of the machine can be told from it.
import { readdirSync, readFileSync } from "node:fs";

const TICK_MS = 10;

/**
 * @param {number} root a process id
 * @returns {number | undefined} milliseconds since the processes began, ended children included; undefined where there
 *   is no /proc
 */
export function treeCpuMs(root) {
  const processes = readProcesses();
  if (processes === undefined) return undefined;
  const children = groupByParent(processes);
  const own = new Map(processes.map((entry) => [entry.id, entry.cpuMs]));
  let cpuMs = 0;
  const open = [root];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    cpuMs += own.get(id) ?? 0;
    for (const child of children.get(id) ?? []) open.push(child.id);
  }
  return cpuMs;
}

function readProcesses() {
  let names;
  try {
    names = readdirSync("/proc");
  } catch {
    return undefined;
  }
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(readProcess)
    .filter((entry) => entry !== undefined);
}

function readProcess(name) {
  try {
    // The command stands in brackets and may hold anything.
    const fields = readFileSync(`/proc/${name}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    const [user, system, endedUser, endedSystem] = fields.slice(11, 15).map(Number);
    return { id: Number(name), parent: Number(fields[1]), cpuMs: (user + system + endedUser + endedSystem) * TICK_MS };
  } catch {
    // It ended between the two looks.
    return undefined;
  }
}

function groupByParent(processes) {
  const groups = new Map();
  for (const entry of processes) {
    const group = groups.get(entry.parent);
    if (group === undefined) groups.set(entry.parent, [entry]);
    else group.push(entry);
  }
  return groups;
}
