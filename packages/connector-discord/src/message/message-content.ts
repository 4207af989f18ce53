import { DiscordConnectorError } from "../errors.js";
import { isMarkdown, type Text } from "./markdown.js";
import type { SelectMenu } from "./select-menu.js";

/**
 * A message in this package's own words. It is cut to Discord's limits when it is sent, and mentions nobody. A plain
 * string is escaped where Discord would read markup in it; write `markdown` where markup is meant.
 */
export interface MessageContent {
  readonly content?: Text;
  /** At most 10; 6,000 characters over all of them. */
  readonly embeds?: readonly MessageEmbed[];
  /** Each in a row of its own, above the buttons; at most 5 rows in all. */
  readonly selects?: readonly SelectMenu[];
  /** Five to a row, at most 25. An empty list takes the buttons of an edited message away. */
  readonly buttons?: readonly (ActionButton | LinkButton)[];
}

/** A message that is a text alone may be just that. Throws `invalid_definition` for what is no message. */
export function contentOf(message: MessageContent | Text): MessageContent {
  if (typeof message === "string" || isMarkdown(message)) return { content: message };
  if (typeof message === "object" && message !== null) return message;
  const what = `A message is a text or { content, embeds, … }, not ${String(message)}.`;
  throw new DiscordConnectorError("invalid_definition", what);
}

export interface MessageEmbed {
  readonly title?: Text;
  readonly description?: Text;
  readonly url?: string;
  /** `0xRRGGBB`. */
  readonly color?: number;
  readonly fields?: readonly { readonly name: Text; readonly value: Text; readonly inline?: boolean }[];
  readonly author?: string;
  readonly footer?: string;
  readonly timestamp?: Date | string;
}

export type ButtonStyle = "primary" | "secondary" | "success" | "danger";

/** What a message needs to know of a defined button. */
export interface ButtonRoute<Param extends string = string> {
  readonly kind: "button";
  readonly name: string;
  readonly params: readonly Param[];
}

/** A button that calls its definition's handler. Made by {@link button}. */
export interface ActionButton {
  readonly kind: "action";
  readonly definition: ButtonRoute;
  readonly params: Readonly<Record<string, string>>;
  readonly label: string;
  readonly style: ButtonStyle;
  readonly disabled: boolean;
}

/** A button that opens an address. Made by {@link linkButton}. */
export interface LinkButton {
  readonly kind: "link";
  readonly label: string;
  readonly url: string;
}

/**
 * Puts a defined button into a message, with the values of its params.
 *
 * @example
 * button(approve, { label: "Approve", style: "success", params: { machineId } })
 */
export function button<Param extends string>(
  definition: ButtonRoute<Param>,
  options: ButtonOptions<Param>,
): ActionButton {
  return {
    kind: "action",
    definition,
    params: "params" in options ? (options.params ?? {}) : {},
    label: options.label,
    style: options.style ?? "secondary",
    disabled: options.disabled ?? false,
  };
}

export type ButtonOptions<Param extends string> = {
  readonly label: string;
  readonly style?: ButtonStyle;
  readonly disabled?: boolean;
} & ([Param] extends [never]
  ? { readonly params?: Readonly<Record<string, never>> }
  : { readonly params: Readonly<Record<Param, string>> });

/** Puts a link button into a message. */
export function linkButton(label: string, url: string): LinkButton {
  return { kind: "link", label, url };
}
