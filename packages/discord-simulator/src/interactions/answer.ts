import type { APIMessage } from "discord-api-types/v10";
import { suggestionFaults } from "../rest/choice-limits.js";
import { FLAGS } from "../rest/limits.js";
import type { Body, PayloadCheck } from "../rest/payload-check.js";
import { REFUSALS, refuse, refuseFields } from "../rest/refusal.js";
import type { MessageBody, MessageStore } from "../world/message-store.js";
import type { MessageState, World } from "../world/model.js";
import type { InteractionState } from "./model.js";
import { interactionMetadata } from "./payload.js";

export interface AnswerContext {
  readonly world: World;
  readonly messages: MessageStore;
  readonly check: PayloadCheck;
  readonly now: () => number;
}

/** Applies an interaction callback, however it came. Throws Discord's refusal when it is not allowed. */
export function applyAnswer(context: AnswerContext, interaction: InteractionState, callback: Body): void {
  if (interaction.status === "answered") {
    throw refuse(REFUSALS.alreadyAcknowledged);
  }
  if (interaction.status === "failed") {
    throw refuse(REFUSALS.unknownInteraction);
  }
  const { check } = context;
  const type = callback.type;
  const onMessage = interaction.source !== null;
  if (type === 4 || type === 5) {
    allow(interaction.type !== 4);
    check.message("CreateMessageInteractionCallbackRequestSchema", callback);
    const data = (callback.data ?? {}) as MessageBody;
    if (type === 4 && isEmptyMessage(data)) {
      throw refuse(REFUSALS.emptyMessage);
    }
    interaction.original = postAnswer(context, interaction, {
      ...data,
      flags: (data.flags ?? 0) | (type === 5 ? FLAGS.loading : 0),
    });
    settle(context, interaction, type === 4 ? "message" : "deferred");
  } else if (type === 6 || type === 7) {
    allow(onMessage);
    check.message("UpdateMessageInteractionCallbackRequestSchema", callback);
    interaction.original = interaction.source;
    if (type === 7 && interaction.source) {
      context.messages.edit(interaction.source, (callback.data ?? {}) as MessageBody);
    }
    settle(context, interaction, type === 7 ? "update" : "deferred_update");
  } else if (type === 8) {
    allow(interaction.type === 4);
    check.check("ApplicationCommandAutocompleteCallbackRequestSchema", callback);
    const choices = ((callback.data as Body | undefined)?.choices ?? []) as readonly Body[];
    const faults = suggestionFaults(choices, focusedType(interaction.data));
    if (faults.length > 0) {
      throw refuseFields(faults);
    }
    interaction.choices = choices;
    settle(context, interaction, "choices");
  } else if (type === 9) {
    allow(interaction.type === 2 || interaction.type === 3);
    check.modal(callback);
    interaction.modal = callback.data as Body;
    settle(context, interaction, "modal");
  } else {
    allow(false);
  }
}

/** The type of the option that is being typed, through subcommands. */
function focusedType({ options }: Readonly<Record<string, unknown>>): number | undefined {
  for (const option of (options ?? []) as readonly Record<string, unknown>[]) {
    const type = option.focused === true ? Number(option.type) : focusedType(option);
    if (type !== undefined) {
      return type;
    }
  }
  return undefined;
}

function allow(allowed: boolean): void {
  if (!allowed) {
    throw refuseFields([
      {
        path: ["type"],
        code: "INTERACTION_CALLBACK_TYPE_INVALID",
        message: "This kind of answer does not fit this interaction.",
      },
    ]);
  }
}

function settle({ now }: AnswerContext, interaction: InteractionState, answer: InteractionState["answer"]): void {
  interaction.status = "answered";
  interaction.answer = answer;
  interaction.answeredAtMs = now();
  interaction.settled = answer !== "deferred" && answer !== "deferred_update";
}

export function isEmptyMessage(body: MessageBody): boolean {
  return !body.content && !body.embeds?.length && !body.components?.length && !body.attachments?.length;
}

/** Posts what the application says in answer to an interaction: the first answer or a follow-up. */
export function postAnswer(context: AnswerContext, interaction: InteractionState, body: MessageBody): MessageState {
  const { world } = context;
  const ephemeral = ((body.flags ?? 0) & FLAGS.ephemeral) !== 0;
  const source = interaction.source;
  const isCommand = interaction.type === 2 || interaction.trigger?.type === 2;
  return context.messages.post({
    channel: interaction.channel,
    author: world.application.bot,
    visibleTo: ephemeral ? interaction.user.user.id : null,
    body: {
      ...body,
      ...(source && source.visibleTo === null ? { message_reference: { message_id: source.message.id } } : {}),
    },
    ...(isCommand ? { type: 20 } : {}),
    extra: {
      application_id: world.application.id,
      webhook_id: world.application.id,
      interaction_metadata: interactionMetadata(interaction) as unknown as NonNullable<
        APIMessage["interaction_metadata"]
      >,
    },
  });
}
