import { styleText } from "node:util";

/** Writes what the loop shows, a line for each thing that was seen. */
export interface Report {
  title(text: string): void;
  step(number: number, text: string): void;
  /** Runs `observe`, then writes what was seen and how long it took; a failure is written and thrown on. */
  seen<T>(text: string, observe: () => Promise<T>): Promise<T>;
  note(text: string): void;
  addresses(rows: readonly (readonly [name: string, address: string, what: string])[]): void;
}

const COLUMNS = 88;

export function createReport(write: (line: string) => void): Report {
  return {
    title: (text) => write(`\n${styleText("bold", text)}`),
    step: (number, text) => write(`\n${styleText("bold", `${number}  ${text}`)}`),
    async seen(text, observe) {
      const started = performance.now();
      try {
        const result = await observe();
        const took = `${Math.round(performance.now() - started)} ms`;
        write(`   ${styleText("green", "✓")} ${text.padEnd(COLUMNS)} ${styleText("dim", took.padStart(8))}`);
        return result;
      } catch (error) {
        write(`   ${styleText("red", "✗")} ${text}`);
        throw error;
      }
    },
    note: (text) => write(styleText("dim", `   ${text}`)),
    addresses(rows) {
      for (const [name, address, what] of rows) {
        write(`   ${name.padEnd(11)} ${styleText("cyan", address.padEnd(60))} ${styleText("dim", what)}`);
      }
    },
  };
}
