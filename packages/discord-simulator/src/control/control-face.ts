import { DiscordSimulatorError } from "../errors.js";
import type {
  InteractionHandle,
  InteractionView,
  MessageReference,
  SimulatedMember,
  SimulatedMessage,
  SimulatorControl,
  SimulatorFaults,
  SimulatorState,
} from "./contract.js";

/** Runs one control action: in this process, or over HTTP. */
export type ControlCall = (action: string, input: Record<string, unknown>) => Promise<unknown>;

const POLL_MS = 40;
const NEWEST = 500;
const DEFAULT_WAIT_MS = 10_000;

/** The typed face on top of the control actions; the same for both sides. */
export function createControlFace(call: ControlCall): Omit<SimulatorControl, "url"> {
  const run = <Result>(action: string, input: object = {}) =>
    call(action, input as Record<string, unknown>) as Promise<Result>;

  return {
    state: () => run<SimulatorState>("state"),
    messages: (query = {}) => run("messages", query),
    async waitForMessage(fits, { timeoutMs = DEFAULT_WAIT_MS, ...query } = {}) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const found = (await run<SimulatedMessage[]>("messages", { limit: NEWEST, ...query })).find(fits);
        if (found) {
          return found;
        }
        if (performance.now() > deadline) {
          throw new DiscordSimulatorError("timed_out", `No such message came within ${timeoutMs} ms.`);
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
    member: (name) => createMemberFace(run, name),
    async addMember(input) {
      await run("addMember", input);
      return createMemberFace(run, input.username);
    },
    addChannel: (input) => run("addChannel", input),
    advanceClock: (input) => run("advanceClock", input),
    addGuild: (input) => run("addGuild", input),
    rolesOf: (member, guild) => run("rolesOf", { member, guild }),
    async setInteractionsUrl(interactionsUrl) {
      await run("setInteractionsUrl", { url: interactionsUrl });
    },
    async setRedirectUris(uris) {
      await run("setRedirectUris", { uris });
    },
    async setWebhookEventsUrl(url, types) {
      await run("setWebhookEventsUrl", { url, types });
    },
    webhookEvents: () => run("webhookEvents"),
    sendWebhookEventsAgain: () => run("sendWebhookEventsAgain"),
    probeInteractionsUrl: () => run("probeInteractionsUrl"),
    requests: () => run("requests"),
    faults: createFaultFace(run),
  };
}

type Run = <Result>(action: string, input?: object) => Promise<Result>;

function createMemberFace(run: Run, member: string): SimulatedMember {
  const interact = async (action: string, input: object) =>
    handleOf(run, member, await run<InteractionView>(action, input));
  return {
    name: member,
    say: (channel, text, options) => run("say", { member, channel, text, ...options }),
    edit: (message, text) => run("edit", { member, message: idOf(message), text }),
    remove: (message) => run("remove", { member, message: idOf(message) }),
    react: (message, emoji) => run("react", { member, message: idOf(message), emoji }),
    unreact: (message, emoji) => run("unreact", { member, message: idOf(message), emoji }),
    join: (guild) => run("join", { member, guild }),
    leave: (guild) => run("leave", { member, guild }),
    setDirectMessages: (open) => run("setDirectMessages", { member, open }),
    kick: (target, options) => run("kick", { member, target, ...options }),
    startThread: (channel, name, { message, ...options } = {}) =>
      run("startThread", { member, channel, name, ...options, ...(message ? { message: idOf(message) } : {}) }),
    joinVoice: (channel, settings) => run("joinVoice", { member, channel, ...settings }),
    leaveVoice: (guild) => run("leaveVoice", { member, guild }),
    setPresence: (status, activity) => run("setPresence", { member, status, activity }),
    slash: (command, options, where) => interact("slash", { member, command, options, ...where }),
    autocomplete: (command, { option, text, ...rest }) =>
      run("autocomplete", { member, command, option, text, ...rest }),
    useOnMember: (command, target, where) => interact("useOnMember", { member, command, target, ...where }),
    useOnMessage: (command, message) => interact("useOnMessage", { member, command, message: idOf(message) }),
    click: (message, button) => interact("click", { member, message: idOf(message), button }),
    select: (message, menu, values) => interact("select", { member, message: idOf(message), menu, values }),
    authorize: (url, options) => run("authorize", { member, url, ...options }),
    deauthorize: () => run("deauthorize", { member }),
    messages: (channel) => run("messages", { channel, viewer: member }),
  };
}

function handleOf(run: Run, member: string, view: InteractionView): InteractionHandle {
  const interaction = view.id;
  const next = async (action: string, input: object) =>
    handleOf(run, member, await run<InteractionView>(action, input));
  const reply = (options?: { readonly timeoutMs?: number }) =>
    run<SimulatedMessage>("reply", { interaction, timeoutMs: options?.timeoutMs ?? DEFAULT_WAIT_MS });
  return {
    ...view,
    submitModal: (fields) => next("submitModal", { interaction, fields }),
    reply,
    followUps: () => run("followUps", { interaction }),
    click: async (button) => next("click", { member, message: (await reply()).id, button }),
    select: async (menu, values) => next("select", { member, message: (await reply()).id, menu, values }),
  };
}

function createFaultFace(run: Run): SimulatorFaults {
  return {
    dropSockets: () => run("dropSockets"),
    askToReconnect: () => run("askToReconnect"),
    invalidateSessions: (options) => run("invalidateSessions", options),
    closeSockets: (code, reason) => run("closeSockets", { code, reason }),
    refuseConnections: (options) => run("refuseConnections", options),
    failRequests: (options) => run("failRequests", options),
    rateLimitRequests: (options) => run("rateLimitRequests", options),
    delayRequests: (options) => run("delayRequests", options),
    duplicatePackets: (options) => run("duplicatePackets", options),
    delayPackets: (options) => run("delayPackets", options),
    holdFollowUps: (options) => run("holdFollowUps", options),
    clear: () => run("clearFaults"),
  };
}

function idOf(message: MessageReference): string {
  return typeof message === "string" ? message : message.id;
}
