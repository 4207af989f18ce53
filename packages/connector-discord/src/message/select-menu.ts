import type { ChannelTypeName, ChoiceOption, SelectChoice } from "../interactions/choices.js";

/** What a message needs to know of a defined menu. */
export interface SelectRoute<Param extends string = string> {
  readonly kind: "select";
  readonly name: string;
  readonly params: readonly Param[];
  readonly choose: SelectChoice;
  readonly placeholder: string | null;
  readonly minValues: number;
  readonly maxValues: number;
  readonly channelTypes: readonly ChannelTypeName[];
}

/** A menu in a message. Made by {@link select}. */
export interface SelectMenu {
  readonly definition: SelectRoute;
  readonly params: Readonly<Record<string, string>>;
  readonly placeholder: string | null;
  /** Values, or ids, that are chosen beforehand; null leaves that to the definition. */
  readonly chosen: readonly string[] | null;
  readonly disabled: boolean;
  /** What the definition's function has offered; null where it was not asked. */
  readonly options: readonly ChoiceOption[] | null;
}

/**
 * Puts a defined menu into a message, with the values of its params.
 *
 * @example
 * select(priority, { params: { ticketId: ticket.id }, chosen: [ticket.priority] })
 */
export function select<Param extends string>(
  definition: SelectRoute<Param>,
  ...[options]: SelectArguments<Param>
): SelectMenu {
  return {
    definition,
    params: options?.params ?? {},
    placeholder: options?.placeholder ?? definition.placeholder,
    chosen: options?.chosen ?? null,
    disabled: options?.disabled ?? false,
    options: null,
  };
}

interface Showing {
  /** Instead of the definition's. */
  readonly placeholder?: string;
  /** Values of options, or ids, that are chosen beforehand; `role:` and its id for a role among mentionables. */
  readonly chosen?: readonly string[];
  readonly disabled?: boolean;
}

export type SelectArguments<Param extends string> = [Param] extends [never]
  ? [options?: Showing & { readonly params?: Readonly<Record<string, never>> }]
  : [options: Showing & { readonly params: Readonly<Record<Param, string>> }];
