import { ComponentType } from "discord-api-types/v10";
import { DiscordConnectorError } from "../errors.js";
import type { MessageContent } from "../message/message-content.js";
import { orderedParams } from "../message/ordered-params.js";
import { type RenderedMessage, renderMessage } from "../message/render-message.js";
import type { ModalAnswer, ReplyAnswer, UpdateAnswer } from "./answers.js";
import type { ComponentRoute, CustomIds } from "./custom-id.js";
import type { Handlers } from "./handlers.js";
import { CALLBACK, EPHEMERAL } from "./payload.js";
import { renderField } from "./render-field.js";

/** The body of an HTTP answer to an interaction. */
export interface InteractionCallback {
  readonly type: number;
  readonly data?: object;
}

export interface AnswerRendering {
  readonly customIds: CustomIds;
  readonly handlers: Handlers;
}

/** `hasMessage`: whether the interaction comes from a message, which an update could change. */
export function renderAnswer(
  answer: ReplyAnswer | UpdateAnswer | ModalAnswer,
  hasMessage: boolean,
  { customIds, handlers }: AnswerRendering,
): InteractionCallback {
  if (answer.kind === "modal") return renderModal(answer, { customIds, handlers });
  const message = renderAnsweredMessage(answer.message, { customIds, handlers });
  if (answer.kind === "update" && hasMessage) return { type: CALLBACK.update, data: message };
  const ephemeral = answer.kind === "update" || answer.ephemeral;
  return { type: CALLBACK.message, data: ephemeral ? { ...message, flags: EPHEMERAL } : message };
}

/** Throws `unknown_component` for a button or a menu that nobody would answer to. */
export function renderAnsweredMessage(
  message: MessageContent,
  { customIds, handlers }: AnswerRendering,
): RenderedMessage {
  for (const item of message.buttons ?? []) if (item.kind === "action") assertShown(item.definition, handlers);
  for (const { definition } of message.selects ?? []) assertShown(definition, handlers);
  return renderMessage(message, customIds);
}

function assertShown({ kind, name }: Pick<ComponentRoute, "kind" | "name">, handlers: Handlers): void {
  if (handlers.has(kind, name)) return;
  throw new DiscordConnectorError(
    "unknown_component",
    `The ${kind} "${name}" is shown but not among the connector's components.`,
  );
}

/** A private sentence of ours. */
export function privateSentence(sentence: string): InteractionCallback {
  return {
    type: CALLBACK.message,
    data: { content: sentence, flags: EPHEMERAL, allowed_mentions: { parse: [] } },
  };
}

function renderModal(answer: ModalAnswer, { customIds, handlers }: AnswerRendering): InteractionCallback {
  const { modal } = answer;
  assertShown(modal, handlers);
  return {
    type: CALLBACK.modal,
    data: {
      custom_id: customIds.encode({
        kind: "modal",
        name: modal.name,
        params: orderedParams(modal.name, modal.params, answer.params),
      }),
      title: modal.title,
      components: Object.entries(modal.fields).map(([name, field]) => ({
        type: ComponentType.Label,
        label: field.label,
        ...(field.description === undefined ? {} : { description: field.description }),
        component: renderField(name, field, answer.values[name]),
      })),
    },
  };
}
