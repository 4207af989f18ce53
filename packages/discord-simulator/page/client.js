import { appsMenu } from "./apps-menu.js";
import { createCompletion } from "./completion.js";
import { avatar, colourOf, el } from "./elements.js";
import { createKept } from "./kept.js";
import { messageElement } from "./message.js";
import { askModal } from "./modal.js";
import { parseSlash } from "./slash.js";

const at = (id) => document.getElementById(id);
const WATCHING = "";
const GONE = "The simulator does not answer. Is it still running?";
const chosen = { guild: null, channel: null, viewer: WATCHING };
const showMessages = createKept(at("messages"));
const showMembers = createKept(at("members"));
let state = null;
let messages = [];
let toNewest = true;
let toastTimer;

async function call(action, input = {}) {
  const response = await fetch(`/simulator/${action}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(input),
  }).catch(() => {
    throw new Error(GONE);
  });
  const answer = await response.json();
  if (!response.ok) {
    throw new Error(answer.detail);
  }
  return answer;
}

function say(problem) {
  clearTimeout(toastTimer);
  at("toast").textContent = problem;
  at("toast").hidden = false;
  toastTimer = setTimeout(() => {
    at("toast").hidden = true;
  }, 6000);
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    say(error.message);
  }
}

/** What the person at the page does: what went wrong before is over by then. */
function act(work) {
  at("toast").hidden = true;
  return attempt(work);
}

/** Shows another channel, or the same with other eyes, where the newest stands. */
function lookAt(change) {
  Object.assign(chosen, change);
  toNewest = true;
  return act(refresh);
}

const guild = () => state.guilds.find(({ id }) => id === chosen.guild) ?? state.guilds[0];
const memberById = (id) => state.guilds.flatMap(({ members }) => members).find((member) => member.id === id);

const view = {
  get acting() {
    return chosen.viewer !== WATCHING;
  },
  name: (id) =>
    memberById(id)?.displayName ??
    guild().roles.find((role) => role.id === id)?.name ??
    guild().channels.find((channel) => channel.id === id)?.name ??
    messages.find(({ author }) => author.id === id)?.author.username ??
    id,
  colour: (id) => {
    const held = memberById(id)?.roles ?? [];
    const coloured = guild().roles.filter(({ name, color }) => color && held.includes(name));
    return colourOf(coloured.at(-1)?.color);
  },
  choicesFor: (type) => {
    const named = ({ id, name, displayName }) => ({ value: id, label: displayName ?? name });
    const { roles, channels, members } = guild();
    return { 5: members, 6: roles, 7: [...members, ...roles], 8: channels }[type].map(named);
  },
  menuCommands: (wanted) =>
    state.commands.filter(({ type, guildId }) => type === wanted && (guildId === null || guildId === guild().id)),
  act: (action, input) => act(() => interact(action, input)),
  toggleReaction: (message, emoji, mine) =>
    act(() => call(mine ? "unreact" : "react", { member: chosen.viewer, message, emoji })),
};

async function interact(action, input) {
  const seen = await call(action, { member: chosen.viewer, ...input });
  if (seen.failure) {
    say(`${seen.failure.message} (${seen.failure.detail})`);
  } else if (seen.modal) {
    await askModal({
      dialog: at("modal"),
      modal: seen.modal,
      view,
      submit: (fields) => interact("submitModal", { interaction: seen.id, fields }),
    });
  }
}

/** Channels, each with its threads and posts beneath it. */
function channelsInOrder() {
  const { channels } = guild();
  const known = new Set(channels.map(({ id }) => id));
  return channels
    .filter(({ parentId }) => !known.has(parentId))
    .flatMap((channel) => [channel, ...channels.filter(({ parentId }) => parentId === channel.id)]);
}

function drawSidebar() {
  at("guild").replaceChildren(
    ...state.guilds.map(({ id, name }) => el("option", { value: id, selected: id === guild().id }, name)),
  );
  const channelButton = (id, label, className = "") =>
    el(
      "button",
      {
        type: "button",
        class: className,
        "aria-current": String(id === chosen.channel),
        onclick: () => lookAt({ channel: id }),
      },
      label,
    );
  at("channels").replaceChildren(
    el("h2", {}, "Channels"),
    ...channelsInOrder().map(({ id, name, parentId }) =>
      channelButton(id, parentId ? `↳ ${name}` : `# ${name}`, parentId ? "thread" : ""),
    ),
    ...(view.acting ? [el("h2", {}, "Direct messages"), channelButton("@bot", `@ ${state.application.name}`)] : []),
  );
  const people = state.guilds.flatMap(({ members }) => members).filter(({ bot }) => !bot);
  const unique = [...new Map(people.map((person) => [person.id, person])).values()];
  at("viewer").replaceChildren(
    el("option", { value: WATCHING }, "Watching everybody"),
    ...unique.map(({ username, displayName }) =>
      el("option", { value: username, selected: username === chosen.viewer }, displayName),
    ),
  );
  const authorized = state.authorizations.some(({ username }) => username === chosen.viewer);
  at("deauthorize").hidden = !authorized;
  at("deauthorize").textContent = `Remove ${state.application.name} from my authorized apps`;
  const { connections } = state.gateway;
  at("connection").textContent =
    `${connections} gateway connection${connections === 1 ? "" : "s"} · ` +
    `interactions over ${state.application.interactionsUrl ? "HTTP" : "the gateway"}`;
}

function drawChannel() {
  const channel = guild().channels.find(({ id }) => id === chosen.channel);
  at("channel-name").textContent = channel ? `# ${channel.name}` : `@ ${state.application.name}`;
  at("channel-topic").textContent = channel?.topic ?? "";
  const list = at("messages");
  const atEnd = toNewest || list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  toNewest = false;
  const seenBy = JSON.stringify([chosen.viewer, guild(), state.commands]);
  const nothing = { key: "", make: () => el("p", { class: "empty" }, "Nothing has been said here yet.") };
  const entries = messages.map((message, index) => ({
    key: JSON.stringify([message, messages[index - 1], seenBy]),
    make: () => messageElement(message, messages[index - 1], view),
  }));
  showMessages(entries.length > 0 ? entries : [nothing]);
  if (atEnd) {
    list.scrollTop = list.scrollHeight;
  }
  at("text").disabled = !view.acting;
  at("composer").querySelector("button[type=submit]").disabled = !view.acting;
  at("text").placeholder = view.acting
    ? `Message ${at("channel-name").textContent}, or / for a command`
    : "Choose who you are (lower left) to write, react and press buttons";
}

function drawMembers() {
  const { members, roles } = guild();
  const entry = (member) => {
    const name = el("div", {}, member.displayName);
    name.style.color = view.colour(member.id);
    return el(
      "div",
      { class: "member" },
      avatar(member, member.status),
      el(
        "div",
        { class: "member-name" },
        name,
        ...member.roles.map((role) => {
          const chip = el("span", { class: "role" }, role);
          chip.style.color = colourOf(roles.find((candidate) => candidate.name === role)?.color) || "var(--soft)";
          return chip;
        }),
      ),
      appsMenu(2, view, (command) =>
        view.act("useOnMember", { target: member.username, command, channel: chosen.channel }),
      ),
    );
  };
  const group = (title, list) => {
    const heading = `${title}: ${list.length}`;
    const depends = (member) => JSON.stringify([member, roles, chosen, state.commands]);
    const entries = list.map((member) => ({ key: depends(member), make: () => entry(member) }));
    return list.length > 0 ? [{ key: heading, make: () => el("h2", {}, heading) }, ...entries] : [];
  };
  const isApp = ({ bot }) => bot;
  const isPerson = ({ bot }) => !bot;
  showMembers([...group("Apps", members.filter(isApp)), ...group("Members", members.filter(isPerson))]);
}

async function refresh() {
  state = await call("state");
  chosen.guild = guild().id;
  chosen.channel = guild().channels.find(({ name }) => name === chosen.channel)?.id ?? chosen.channel;
  const isThere = chosen.channel === "@bot" ? view.acting : guild().channels.some(({ id }) => id === chosen.channel);
  if (!isThere) {
    chosen.channel = guild().channels[0]?.id ?? null;
  }
  messages = chosen.channel
    ? await call("messages", { channel: chosen.channel, limit: 200, ...(view.acting ? { viewer: chosen.viewer } : {}) })
    : [];
  drawSidebar();
  drawChannel();
  drawMembers();
}

const completion = createCompletion({
  input: at("text"),
  list: at("suggestions"),
  view: {
    commands: () => state.commands,
    // Somebody who types is not told of each key that brought nothing.
    autocomplete: (input) =>
      call("autocomplete", { member: chosen.viewer, channel: chosen.channel, ...input }).catch(() => []),
  },
});

at("guild").addEventListener("change", ({ target }) => lookAt({ guild: target.value, channel: null }));

at("viewer").addEventListener("change", ({ target }) => lookAt({ viewer: target.value }));

at("deauthorize").addEventListener("click", () => act(() => call("deauthorize", { member: chosen.viewer })));

at("text").addEventListener("input", () => attempt(completion.draw));

at("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = at("text").value.trim();
  if (text === "" || !view.acting) {
    return undefined;
  }
  at("text").value = "";
  completion.hide();
  toNewest = true;
  return act(async () => {
    try {
      await send(text);
    } catch (error) {
      // To be mended and sent again, unless something else is being typed by now.
      at("text").value ||= text;
      throw error;
    }
  });
});

async function send(text) {
  if (text.startsWith("/")) {
    await interact("slash", { channel: chosen.channel, ...parseSlash(text, state.commands) });
  } else {
    await call("say", { member: chosen.viewer, channel: chosen.channel, text });
  }
}

const fromAddress = new URLSearchParams(location.search);
chosen.viewer = fromAddress.get("as") ?? WATCHING;
chosen.channel = fromAddress.get("channel");
let refreshing = Promise.resolve();
const changes = new EventSource("/simulator/changes");
changes.addEventListener("changed", () => {
  refreshing = refreshing.then(() => attempt(refresh));
});
changes.addEventListener("error", () => {
  at("connection").textContent = GONE;
});
