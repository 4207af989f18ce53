/** One option of a slash command. */
export type CommandOption =
  | (OptionBase & {
      readonly type: "string";
      readonly choices?: readonly { readonly name: string; readonly value: string }[];
      readonly minLength?: number;
      readonly maxLength?: number;
    })
  | (OptionBase & {
      readonly type: "integer" | "number";
      readonly choices?: readonly { readonly name: string; readonly value: number }[];
      readonly minValue?: number;
      readonly maxValue?: number;
    })
  | (OptionBase & { readonly type: "boolean" })
  | (OptionBase & {
      /** The value is the id. */
      readonly type: "user" | "channel" | "role";
    });

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
