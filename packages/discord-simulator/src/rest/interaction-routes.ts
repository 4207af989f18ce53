import type { Context, Hono } from "hono";
import { isEmptyMessage, postAnswer } from "../interactions/answer.js";
import type { InteractionState } from "../interactions/model.js";
import type { Simulation } from "../simulation.js";
import type { MessageBody } from "../world/message-store.js";
import type { MessageState } from "../world/model.js";
import { messagePayload } from "../world/payloads.js";
import { readMessage } from "./attached-files.js";
import { FLAGS } from "./limits.js";
import { REFUSALS, refuse } from "./refusal.js";

/** Answers and follow-ups. The token in the address is the authorisation. */
export function interactionRoutes(app: Hono, simulation: Simulation): void {
  const { world, interactions, messages, check, faults, now } = simulation;
  const answerContext = { world, messages, check, now };

  app.post("/interactions/:interaction/:token/callback", async (c) => {
    const interaction = interactions.byId(c.req.param("interaction"));
    if (!interaction || interaction.token !== c.req.param("token") || interactions.isExpired(interaction)) {
      throw refuse(REFUSALS.unknownInteraction);
    }
    interactions.answer(interaction, await readMessage(c, simulation));
    if (c.req.query("with_response") !== "true") {
      return c.body(null, 204);
    }
    return c.json(callbackResponse(interaction));
  });

  function callbackResponse(interaction: InteractionState) {
    const { original, answer } = interaction;
    const type = { message: 4, deferred: 5, deferred_update: 6, update: 7, choices: 8, modal: 9 }[answer ?? "message"];
    return {
      interaction: {
        id: interaction.id,
        type: interaction.type,
        response_message_loading: answer === "deferred",
        response_message_ephemeral: original?.visibleTo !== null,
        ...(original ? { response_message_id: original.message.id } : {}),
        channel_id: interaction.channel.id,
      },
      resource: { type, ...(original ? { message: messagePayload(original, world.application.bot.id) } : {}) },
    };
  }

  /** The interaction that this token belongs to, if it may still speak. */
  function answered(c: Context): InteractionState {
    const interaction = interactions.byToken(c.req.param("token") ?? "");
    if (!interaction) {
      throw refuse(REFUSALS.unknownWebhook);
    }
    if (interactions.isExpired(interaction)) {
      throw refuse(REFUSALS.invalidWebhookToken);
    }
    if (interaction.status !== "answered" || now() < interaction.answeredAtMs + faults.followUpHoldMs()) {
      throw refuse(REFUSALS.unknownWebhook);
    }
    return interaction;
  }

  function meant(interaction: InteractionState, id: string): MessageState {
    const { original, followUps } = interaction;
    const stored =
      id === "@original" ? original : [original, ...followUps].find((candidate) => candidate?.message.id === id);
    if (!stored || !interaction.channel.messages.has(stored.message.id)) {
      throw refuse(REFUSALS.unknownMessage);
    }
    return stored;
  }

  function edit(interaction: InteractionState, stored: MessageState, body: MessageBody): MessageState {
    const loading = stored === interaction.original && interaction.answer === "deferred" && !interaction.settled;
    const merged = loading ? body : { ...(stored.message as MessageBody), ...body };
    if (isEmptyMessage(merged)) {
      throw refuse(REFUSALS.emptyMessage);
    }
    messages.edit(stored, {
      ...body,
      flags: ((body.flags ?? stored.message.flags ?? 0) & ~FLAGS.loading) >>> 0,
    });
    if (stored === interaction.original) {
      interaction.settled = true;
    }
    interactions.touch();
    return stored;
  }

  const followUps = `/webhooks/${world.application.id}/:token`;

  app.post(followUps, async (c) => {
    const interaction = answered(c);
    const body = await readMessage(c, simulation);
    check.message("IncomingWebhookRequestPartialSchema", body);
    if (isEmptyMessage(body as MessageBody)) {
      throw refuse(REFUSALS.emptyMessage);
    }
    if (interaction.answer === "deferred" && !interaction.settled && interaction.original) {
      return c.json(messagePayload(edit(interaction, interaction.original, body as MessageBody), world.application.id));
    }
    const stored = postAnswer(answerContext, interaction, body as MessageBody);
    interaction.followUps.push(stored);
    interactions.touch();
    return c.json(messagePayload(stored, world.application.id));
  });

  app.get(`${followUps}/messages/:message`, (c) =>
    c.json(messagePayload(meant(answered(c), c.req.param("message")), world.application.id)),
  );

  app.patch(`${followUps}/messages/:message`, async (c) => {
    const interaction = answered(c);
    const stored = meant(interaction, c.req.param("message"));
    const body = await readMessage(c, simulation);
    check.message("IncomingWebhookUpdateRequestPartialSchema", body);
    return c.json(messagePayload(edit(interaction, stored, body as MessageBody), world.application.id));
  });

  app.delete(`${followUps}/messages/:message`, (c) => {
    const interaction = answered(c);
    const stored = meant(interaction, c.req.param("message"));
    messages.remove(interaction.channel, stored.message.id);
    if (stored === interaction.original) {
      interaction.original = null;
      interaction.settled = true;
    }
    interactions.touch();
    return c.body(null, 204);
  });
}
