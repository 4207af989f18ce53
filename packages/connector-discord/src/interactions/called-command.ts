import type { z } from "zod";
import { type commandDataSchema, OPTION_SUBCOMMAND } from "./payload.js";

type CommandData = z.infer<typeof commandDataSchema>;

interface Called {
  readonly name: string;
  readonly options: readonly Omit<CommandData["options"][number], "options">[];
}

/** What was called: a command, or a subcommand as `desk open`, with the options that are its own. */
export function calledCommand({ name, options }: CommandData): Called {
  const subcommand = options.find(({ type }) => type === OPTION_SUBCOMMAND);
  return subcommand ? { name: `${name} ${subcommand.name}`, options: subcommand.options } : { name, options };
}
