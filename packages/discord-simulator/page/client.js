import { appsMenu } from "./apps-menu.js";
import { createCompletion } from "./completion.js";
import { avatar, colourOf, el } from "./elements.js";
import { messageElement } from "./message.js";
import { askModal } from "./modal.js";
import { parseSlash } from "./slash.js";

const at = (id) => document.getElementById(id);
const WATCHING = "";
const chosen = { guild: null, channel: null, viewer: WATCHING };
let state = null;
let messages = [];
let toastTimer;

async function call(action, input = {}) {
  const response = await fetch(`/simulator/${action}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(input),
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
  act: (action, input) => attempt(() => interact(action, input)),
  toggleReaction: (message, emoji, mine) =>
    attempt(() => call(mine ? "unreact" : "react", { member: chosen.viewer, message, emoji })),
};

async function interact(action, input) {
  const seen = await call(action, { member: chosen.viewer, ...input });
  if (seen.failure) {
    say(`${seen.failure.message} (${seen.failure.detail})`);
  } else if (seen.modal) {
    const fields = await askModal(at("modal"), seen.modal, view);
    if (fields) {
      await interact("submitModal", { interaction: seen.id, fields });
    }
  }
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
        onclick: () => {
          chosen.channel = id;
          return attempt(refresh);
        },
      },
      label,
    );
  at("channels").replaceChildren(
    el("h2", {}, "Channels"),
    ...guild().channels.map(({ id, name, parentId }) =>
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
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  list.replaceChildren(
    ...(messages.length === 0 ? [el("p", { class: "empty" }, "Nothing has been said here yet.")] : []),
    ...messages.map((message, index) => messageElement(message, messages[index - 1], view)),
  );
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
  const group = (title, list) =>
    list.length > 0 ? [el("h2", {}, `${title}: ${list.length}`), ...list.map(entry)] : [];
  at("members").replaceChildren(
    ...group(
      "Apps",
      members.filter(({ bot }) => bot),
    ),
    ...group(
      "Members",
      members.filter(({ bot }) => !bot),
    ),
  );
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

at("guild").addEventListener("change", ({ target }) => {
  chosen.guild = target.value;
  chosen.channel = null;
  return attempt(refresh);
});

at("viewer").addEventListener("change", ({ target }) => {
  chosen.viewer = target.value;
  return attempt(refresh);
});

at("deauthorize").addEventListener("click", () => attempt(() => call("deauthorize", { member: chosen.viewer })));

at("text").addEventListener("input", () => attempt(completion.draw));

at("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = at("text").value.trim();
  if (text === "" || !view.acting) {
    return undefined;
  }
  at("text").value = "";
  completion.hide();
  return attempt(async () => {
    if (text.startsWith("/")) {
      await interact("slash", { channel: chosen.channel, ...parseSlash(text, state.commands) });
    } else {
      await call("say", { member: chosen.viewer, channel: chosen.channel, text });
    }
  });
});

const fromAddress = new URLSearchParams(location.search);
chosen.viewer = fromAddress.get("as") ?? WATCHING;
chosen.channel = fromAddress.get("channel");
let refreshing = Promise.resolve();
new EventSource("/simulator/changes").addEventListener("changed", () => {
  refreshing = refreshing.then(() => attempt(refresh));
});
