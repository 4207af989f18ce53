import type { AutocompleteInteraction } from "./interaction.js";

/** One option of a slash command. `autocomplete` offers choices while it is typed; any other value may come too. */
export type CommandOption =
  | (OptionBase & {
      readonly type: "string";
      autocomplete?(interaction: AutocompleteInteraction): Suggestions<string>;
      readonly choices?: readonly { readonly name: string; readonly value: string }[];
      readonly minLength?: number;
      readonly maxLength?: number;
    })
  | (OptionBase & {
      readonly type: "integer" | "number";
      autocomplete?(interaction: AutocompleteInteraction): Suggestions<number>;
      readonly choices?: readonly { readonly name: string; readonly value: number }[];
      readonly minValue?: number;
      readonly maxValue?: number;
    })
  | (OptionBase & { readonly type: "boolean" })
  | (OptionBase & {
      /** The value is the id. */
      readonly type: "user" | "channel" | "role";
    });

/** The first 25 are shown; within 2.5 seconds, else none are. */
type Suggestions<Value> = Promise<readonly CommandChoice<Value>[]> | readonly CommandChoice<Value>[];

export interface CommandChoice<Value = string | number> {
  /** At most 100 characters, else it is cut. */
  readonly name: string;
  /** A text of at most 100 characters, or a number; what is neither is left out. */
  readonly value: Value;
}

interface OptionBase {
  /** At most 100 characters. */
  readonly description: string;
  /** False when absent. */
  readonly required?: boolean;
}

export type CommandOptions = Readonly<Record<string, CommandOption>>;

/** What the handler gets; null for an optional one that was not given. */
export type CommandOptionValues<Options extends CommandOptions> = {
  readonly [Name in keyof Options]: Options[Name]["required"] extends true
    ? OptionValue<Options[Name]["type"]>
    : OptionValue<Options[Name]["type"]> | null;
};

type OptionValue<Type> = Type extends "integer" | "number" ? number : Type extends "boolean" ? boolean : string;
