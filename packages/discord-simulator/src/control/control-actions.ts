import { PermissionFlagsBits } from "discord-api-types/v10";
import { z } from "zod";
import { DiscordSimulatorError } from "../errors.js";
import { decide } from "../oauth/authorization.js";
import { createInteractionActs } from "../people/interaction-acts.js";
import { createPlaces } from "../people/places.js";
import { channelFor, createSpeech } from "../people/speech.js";
import type { Simulation } from "../simulation.js";
import { compareSnowflakes } from "../snowflake.js";
import { WEBHOOK_EVENT_TYPES } from "../webhook-events/webhook-events.js";
import { addChannel, addGuild, addMember } from "../world/additions.js";
import { findChannel, findGuild, findMember, findUser } from "../world/look-up.js";
import type { MessageState } from "../world/model.js";
import type { PermissionName } from "../world/permissions.js";
import type { ControlCall } from "./control-face.js";
import { interactionView, messageView, stateView } from "./views.js";

const name = z.string().min(1);
const text = z.string();
const guild = z.string().optional();
const flag = z.boolean().optional();
const forMs = z.number().min(0);
const count = z.number().int().min(1);
const packets = z.object({ count, type: text.optional() });
const optionValue = z.union([z.string(), z.number(), z.boolean()]);
const file = z.object({ filename: name, base64: z.base64(), contentType: z.string().optional() });
const fieldValue = z.union([z.string(), z.boolean(), z.array(z.string()), z.array(file)]);

/** Every control action: what it takes, and what it does. */
export function createControlActions(simulation: Simulation): ControlCall {
  const { world, membership, gateway, faults, requests } = simulation;
  const speech = createSpeech(simulation);
  const places = createPlaces(simulation);
  const acts = createInteractionActs(simulation);
  const show = (stored: MessageState) => messageView(world, stored);
  const showTo = (viewer: string | undefined) => (stored: MessageState) =>
    messageView(world, stored, viewer === undefined ? undefined : findUser(world, viewer).user.id);

  const actions = {
    state: action(z.object({}), () => stateView(simulation)),
    messages: action(
      z.object({
        channel: text.optional(),
        guild,
        after: text.optional(),
        author: text.optional(),
        viewer: text.optional(),
        limit: z.coerce.number().int().min(1).optional(),
      }),
      (query) => messagesFor(simulation, query).map(showTo(query.viewer)),
    ),
    requests: action(z.object({}), () => requests.list()),
    rolesOf: action(z.object({ member: name, guild }), (input) => {
      const found = findGuild(world, input.guild);
      return findMember(found, findUser(world, input.member)).roles.map((id) => found.roles.get(id)?.name ?? id);
    }),

    say: action(z.object({ member: name, channel: name, text, replyTo: text.optional() }), (input) =>
      show(speech.say(input)),
    ),
    edit: action(z.object({ member: name, message: name, text }), (input) => show(speech.edit(input))),
    remove: action(z.object({ member: name, message: name }), (input) => speech.remove(input)),
    react: action(z.object({ member: name, message: name, emoji: name }), (input) => speech.react(input)),
    unreact: action(z.object({ member: name, message: name, emoji: name }), (input) => speech.unreact(input)),

    join: action(z.object({ member: name, guild }), (input) => {
      membership.join(findGuild(world, input.guild), findUser(world, input.member));
    }),
    leave: action(z.object({ member: name, guild }), (input) => {
      const user = findUser(world, input.member);
      const found = findGuild(world, input.guild);
      findMember(found, user);
      membership.leave(found, user);
    }),
    setDirectMessages: action(z.object({ member: name, open: z.boolean() }), (input) => {
      const { id } = findUser(world, input.member).user;
      world.closedToBot[input.open ? "delete" : "add"](id);
    }),
    kick: action(z.object({ member: name, target: name, reason: text.optional(), guild }), (input) =>
      places.kick(input),
    ),
    startThread: action(
      z.object({ member: name, channel: name, name, text: text.optional(), message: text.optional() }),
      (input) => ({ id: places.startThread(input).id }),
    ),
    joinVoice: action(
      z.object({ member: name, channel: name, muted: flag, deafened: flag, streaming: flag, video: flag }),
      (input) => places.joinVoice(input),
    ),
    leaveVoice: action(z.object({ member: name, guild }), (input) => places.leaveVoice(input)),
    setPresence: action(
      z.object({
        member: name,
        status: z.enum(["online", "idle", "dnd", "offline"]),
        activity: text.optional(),
      }),
      (input) => {
        const activities = input.activity ? [{ name: input.activity, type: 0 }] : [];
        membership.setPresence(findUser(world, input.member), { status: input.status, activities });
      },
    ),

    slash: action(
      z.object({
        member: name,
        command: name,
        options: z.record(z.string(), optionValue).optional(),
        channel: text.optional(),
      }),
      async (input) => interactionView(await acts.slash(input)),
    ),
    autocomplete: action(
      z.object({
        member: name,
        command: name,
        option: name,
        text,
        options: z.record(z.string(), optionValue).optional(),
        channel: text.optional(),
      }),
      async (input) => {
        const { choices, failure } = await acts.autocomplete(input);
        if (failure) {
          throw new DiscordSimulatorError("interaction_failed", `No choices came (${failure.detail}).`);
        }
        return choices;
      },
    ),
    useOnMember: action(
      z.object({ member: name, command: name, target: name, channel: text.optional() }),
      async (input) => interactionView(await acts.useOnMember(input)),
    ),
    useOnMessage: action(z.object({ member: name, command: name, message: name }), async (input) =>
      interactionView(await acts.useOnMessage(input)),
    ),
    click: action(z.object({ member: name, message: name, button: name }), async (input) =>
      interactionView(await acts.click(input)),
    ),
    select: action(z.object({ member: name, message: name, menu: name, values: z.array(z.string()) }), async (input) =>
      interactionView(await acts.select(input)),
    ),
    submitModal: action(z.object({ interaction: name, fields: z.record(z.string(), fieldValue) }), async (input) =>
      interactionView(await acts.submitModal(input)),
    ),
    reply: action(z.object({ interaction: name, timeoutMs: z.number().min(0).max(600_000) }), async (input) =>
      show(await acts.reply(input)),
    ),
    followUps: action(z.object({ interaction: name }), (input) => acts.followUps(input).map(show)),

    addMember: action(
      z.object({
        username: z.string().regex(/^[a-z0-9._]{2,32}$/),
        displayName: text.optional(),
        email: text.optional(),
        roles: z.array(z.string()).optional(),
        guild,
        joined: z.boolean().optional(),
      }),
      (input) => addMember(simulation, input),
    ),
    addChannel: action(
      z.object({
        name,
        type: z.enum(["text", "voice", "forum"]).optional(),
        guild,
        topic: text.optional(),
        deniedToBot: z.array(z.enum(Object.keys(PermissionFlagsBits) as PermissionName[])).optional(),
      }),
      (input) => addChannel(simulation, input),
    ),
    advanceClock: action(z.object({ byMs: z.number().int().min(0).max(MOST_MS) }), ({ byMs }) => {
      simulation.advance(byMs);
      return { now: new Date(simulation.now()).toISOString() };
    }),
    addGuild: action(z.object({ name }), (input) => addGuild(simulation, input)),

    setInteractionsUrl: action(z.object({ url: z.url().nullable() }), async ({ url }) => {
      const result = await simulation.setInteractionsUrl(url);
      if (!result.ok) {
        throw new DiscordSimulatorError(
          "interactions_url_refused",
          `The interactions URL was refused: ${result.reason}.`,
        );
      }
    }),
    probeInteractionsUrl: action(z.object({}), () => simulation.probeAgain()),

    authorize: action(
      z.object({ member: name, url: z.url(), allowed: z.boolean().optional(), guild }),
      ({ url, allowed = true, ...decision }) => decide(simulation, new URL(url).searchParams, { ...decision, allowed }),
    ),
    setRedirectUris: action(z.object({ uris: z.array(z.url()) }), ({ uris }) => {
      world.application.redirectUris = uris;
    }),

    deauthorize: action(z.object({ member: name }), ({ member }) =>
      simulation.authorizations.remove(findUser(world, member)),
    ),
    setWebhookEventsUrl: action(
      z.object({ url: z.url().nullable(), types: z.array(z.enum(WEBHOOK_EVENT_TYPES)).optional() }),
      async ({ url, types }) => {
        const result = await simulation.setWebhookEvents(url, types ?? WEBHOOK_EVENT_TYPES);
        if (!result.ok) {
          throw new DiscordSimulatorError(
            "webhook_events_url_refused",
            `The Webhook Events URL was refused: ${result.reason}.`,
          );
        }
      },
    ),
    webhookEvents: action(z.object({}), () => simulation.webhookEvents.list()),
    sendWebhookEventsAgain: action(z.object({}), () => simulation.webhookEvents.sendAgain()),

    dropSockets: action(z.object({}), () => gateway.dropSockets()),
    askToReconnect: action(z.object({}), () => gateway.askToReconnect()),
    invalidateSessions: action(z.object({ resumable: z.boolean() }), (input) =>
      gateway.invalidateSessions(input.resumable),
    ),
    closeSockets: action(
      z.object({ code: z.number().int().min(1000).max(4999), reason: z.string().max(120).optional() }),
      (input) => gateway.closeSockets(input.code, input.reason ?? ""),
    ),
    refuseConnections: action(z.object({ forMs }), (input) => {
      faults.refuseConnections(input.forMs);
      gateway.dropSockets();
    }),
    failRequests: action(
      z.object({ count, status: z.number().int().min(500).max(599).optional(), path: text.optional() }),
      ({ status = 503, ...input }) => faults.failRequests({ ...input, status }),
    ),
    rateLimitRequests: action(
      z.object({
        count,
        retryAfterSeconds: z.number().min(0).optional(),
        scope: z.enum(["user", "global", "shared"]).optional(),
        path: text.optional(),
      }),
      (input) => faults.failRequests({ ...input, status: 429 }),
    ),
    delayRequests: action(z.object({ count, forMs, path: text.optional() }), (input) => faults.delayRequests(input)),
    duplicatePackets: action(packets, (input) => faults.duplicatePackets(input)),
    delayPackets: action(packets.extend({ forMs }), (input) => faults.delayPackets(input)),
    holdFollowUps: action(z.object({ forMs }), (input) => faults.holdFollowUps(input.forMs)),
    clearFaults: action(z.object({}), () => faults.clear()),
  } satisfies Record<string, Action>;

  const table: ReadonlyMap<string, Action> = new Map(Object.entries(actions));

  return async (actionName, input) => {
    const found = table.get(actionName);
    if (!found) {
      throw new DiscordSimulatorError("unknown_action", `There is no control action "${actionName}".`);
    }
    const result = await found(input);
    if (!READING.has(actionName)) {
      simulation.bus.changed();
    }
    return result ?? null;
  };
}

/** Ten years. */
const MOST_MS = 10 * 365 * 24 * 3600_000;

/** Actions that change nothing. */
const READING: ReadonlySet<string> = new Set([
  "state",
  "messages",
  "requests",
  "rolesOf",
  "reply",
  "followUps",
  "webhookEvents",
]);

type Action = (input: unknown) => unknown;

function action<Input>(schema: z.ZodType<Input>, run: (input: Input) => unknown): Action {
  return (input) => {
    const parsed = schema.safeParse(input);
    if (!parsed.success) {
      throw new DiscordSimulatorError("invalid_input", z.prettifyError(parsed.error));
    }
    return run(parsed.data);
  };
}

interface Query {
  readonly channel?: string | undefined;
  readonly guild?: string | undefined;
  readonly after?: string | undefined;
  readonly author?: string | undefined;
  readonly viewer?: string | undefined;
  readonly limit?: number | undefined;
}

function messagesFor(
  simulation: Simulation,
  { channel, guild: inGuild, after, author, viewer, limit }: Query,
): MessageState[] {
  const { world } = simulation;
  const seer = viewer === undefined ? undefined : findUser(world, viewer);
  const channels =
    channel === undefined
      ? [...world.channels.values()].filter(({ guildId }) => !inGuild || guildId === findGuild(world, inGuild).id)
      : [seer ? channelFor(simulation, seer, channel) : findChannel(world, channel, inGuild)];
  const authorId = author === undefined ? undefined : findUser(world, author).user.id;
  return channels
    .flatMap(({ messages }) => [...messages.values()])
    .filter(({ message }) => after === undefined || compareSnowflakes(message.id, after) > 0)
    .filter(({ message }) => authorId === undefined || message.author.id === authorId)
    .filter(({ visibleTo }) => !seer || visibleTo === null || visibleTo === seer.user.id)
    .sort((a, b) => compareSnowflakes(a.message.id, b.message.id))
    .slice(limit === undefined ? 0 : -limit);
}
