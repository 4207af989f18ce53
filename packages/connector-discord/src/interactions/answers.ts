import type { Text } from "../message/markdown.js";
import { contentOf, type MessageContent } from "../message/message-content.js";
import type { ModalField } from "./modal-fields.js";

/** Answers with a new message. */
export interface ReplyAnswer {
  readonly kind: "reply";
  readonly message: MessageContent;
  /** Only the member who asked sees it. */
  readonly ephemeral: boolean;
}

/** Changes the message that carries the button. */
export interface UpdateAnswer {
  readonly kind: "update";
  readonly message: MessageContent;
}

/** Opens a modal. Discord takes this only as a first answer, so only immediate handlers have it. */
export interface ModalAnswer {
  readonly kind: "modal";
  readonly modal: ModalRoute;
  readonly params: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, FieldPrefill>>;
}

/** What stands in a field beforehand: a text, an option's value, several of them or ids, or a box's state. Files can't. */
export type FieldPrefill = string | boolean | readonly string[];

/** What showing a modal needs to know of its definition. */
export interface ModalRoute<Field extends string = string, Param extends string = string> {
  readonly kind: "modal";
  readonly name: string;
  readonly title: string;
  readonly fields: Readonly<Record<Field, ModalField>>;
  readonly params: readonly Param[];
}

/**
 * Answers with a message, private unless `ephemeral` is false. After a deferral the definition has already said who
 * sees it.
 */
export function reply(message: MessageContent | Text, options: { readonly ephemeral?: boolean } = {}): ReplyAnswer {
  return {
    kind: "reply",
    message: contentOf(message),
    ephemeral: options.ephemeral ?? true,
  };
}

/**
 * Replaces the message that carries the button, with its embeds, buttons and menus. Where there is none, after a
 * command's modal, it becomes a private reply.
 */
export function updateMessage(message: MessageContent | Text): UpdateAnswer {
  return { kind: "update", message: contentOf(message) };
}

/** Opens a modal, which must be among the connector's `components`; `values` fill fields in beforehand. */
export function showModal<Field extends string, Param extends string>(
  modal: ModalRoute<Field, Param>,
  ...[options]: ShowModalArguments<Field, Param>
): ModalAnswer {
  return {
    kind: "modal",
    modal,
    params: options?.params ?? {},
    values: (options?.values ?? {}) as Record<string, FieldPrefill>,
  };
}

type ShowModalArguments<Field extends string, Param extends string> = [Param] extends [never]
  ? [options?: { readonly params?: Readonly<Record<string, never>>; readonly values?: Prefills<Field> }]
  : [options: { readonly params: Readonly<Record<Param, string>>; readonly values?: Prefills<Field> }];

type Prefills<Field extends string> = Partial<Readonly<Record<Field, FieldPrefill>>>;
