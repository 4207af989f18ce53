import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { SpooledItem } from "./spool-record.js";

export interface DeadLetter {
  readonly item: Pick<SpooledItem, "key" | "lane" | "json">;
  readonly code: string;
  readonly message: string;
}

/** A file of JSON lines, one for each packet that is not sent any more. Nothing reads it but people. */
export interface DeadLetters {
  /** Resolves when the lines are on disk. */
  append(letters: readonly DeadLetter[]): Promise<void>;
  /** Since this process started. */
  count(): number;
  readonly file: string;
}

export function createDeadLetters(file: string, now: () => number): DeadLetters {
  let count = 0;
  return {
    file,
    count: () => count,
    async append(letters) {
      const at = new Date(now()).toISOString();
      const lines = letters.map(({ item, code, message }) => {
        const head = JSON.stringify({ at, code, message, lane: item.lane });
        return `${head.slice(0, -1)},"item":${item.json}}\n`;
      });
      await mkdir(dirname(file), { recursive: true });
      const handle = await open(file, "a", 0o600);
      try {
        // Unlike one write, which may end early on a full disk, this goes on until all is written or fails.
        await handle.appendFile(lines.join(""));
        await handle.sync();
      } finally {
        await handle.close();
      }
      count += letters.length;
    },
  };
}
