// A program is a process of its own that answers calls of the bench by IPC.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} Program
 * @property {(name: string, ...args: unknown[]) => Promise<any>} call rejects with what the program's function threw
 * @property {(name: string, ...args: unknown[]) => void} tell a call whose answer nobody waits for
 * @property {(listener: (message: any) => void) => () => void} onNews what it sends by itself; the answer ends it
 * @property {number} pid
 * @property {() => void} kill
 * @property {() => Promise<void>} end calls its `close`, and waits for the process to be gone
 */

/**
 * @param {string} file beside this one
 * @param {{ execArgv?: readonly string[] }} [options]
 * @returns {Program}
 */
export function startProgram(file, { execArgv = [] } = {}) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [], { execArgv: [...execArgv] });
  const waiting = new Map();
  const listeners = new Set();
  let lastId = 0;
  child.on("message", ({ id, answer, error, news }) => {
    if (id === undefined) {
      for (const listener of listeners) listener(news);
      return;
    }
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(answer);
    else reject(new Error(`${file}: ${error}`));
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.once("exit", (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`${file} ended with exit code ${code}.`));
  });
  const call = (name, ...args) =>
    new Promise((resolve, reject) => {
      if (!child.connected) throw new Error(`${file} is gone.`);
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      child.send({ id: lastId, name, args });
    });
  return {
    call,
    tell(name, ...args) {
      if (child.connected) child.send({ name, args });
    },
    onNews(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    pid: child.pid,
    kill: () => child.kill("SIGKILL"),
    async end() {
      await call("close");
      child.disconnect();
      await exited;
    },
  };
}

/**
 * Answers the calls of the process that started this one.
 *
 * @param {Record<string, (...args: any[]) => unknown>} functions
 */
export function serveCalls(functions) {
  process.on("message", async ({ id, name, args }) => {
    try {
      const answer = await functions[name](...args);
      if (id !== undefined) process.send({ id, answer });
    } catch (error) {
      process.send({ id: id ?? 0, error: error?.stack ?? String(error) });
    }
  });
  // Whoever started it is gone.
  process.on("disconnect", () => process.exit());
}

/** Tells the process that started this one something by itself. */
export function sendNews(news) {
  process.send({ news });
}
