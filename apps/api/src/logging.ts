import { join } from "node:path";
import { type DestinationStream, type Logger, pino } from "pino";
import type { Environment } from "./environment.js";

/** As pino numbers its levels. */
const ERROR_LEVEL = 50;
const REDACTED = ["req.headers.authorization", "*.token", "*.secret", "*.password", "*.email"];

/** One JSON object a line: errors to stderr, the rest to stdout; with a directory, all and errors to a file each too. */
export function createLogger({ LOG_LEVEL: level, LOG_DIRECTORY: directory }: Environment): Logger {
  return pino({ level, redact: REDACTED }, createLogStream(directory));
}

function createLogStream(directory: string | undefined): DestinationStream {
  const toFile = (name: string) =>
    directory === undefined ? null : pino.destination({ dest: join(directory, name), mkdir: true, append: true });
  const [stdout, stderr] = [pino.destination(1), pino.destination(2)];
  const [combined, errors] = [toFile("combined.log"), toFile("error.log")];
  return {
    // Has pino say the level of each line here before it writes it.
    [Symbol.for("pino.metadata")]: true,
    lastLevel: 0,
    write(line: string) {
      const isError = this.lastLevel >= ERROR_LEVEL;
      (isError ? stderr : stdout).write(line);
      combined?.write(line);
      if (isError) errors?.write(line);
    },
  } as DestinationStream & { lastLevel: number };
}
