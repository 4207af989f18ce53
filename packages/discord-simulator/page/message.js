import { appsMenu } from "./apps-menu.js";
import { avatar, colourOf, el } from "./elements.js";
import { markup } from "./markup.js";
import { menuElement } from "./menu.js";

const LOADING = 128;

/**
 * One message as an element. `view` says who looks and what names mean, `act(action, input)` does what is pressed.
 */
export function messageElement(message, previous, view) {
  const { author } = message;
  if (message.type === 7) {
    return el("div", { class: "system" }, `${view.name(author.id)} joined. `, timeOf(message.timestamp));
  }
  const continued = isContinued(message, previous);
  const context = contextOf(message, view);
  return el(
    "article",
    { class: `message${continued ? " continued" : ""}${message.ephemeral ? " ephemeral" : ""}` },
    context,
    continued ? el("div") : avatar(author),
    el(
      "div",
      { class: "body" },
      continued ? "" : byline(message, view),
      bodyOf(message, view),
      ...message.embeds.map((embed) => embedElement(embed, view)),
      ...message.attachments.map((file) => el("div", { class: "attachment" }, `📎 ${file.filename}`)),
      ...message.components.map((component) => componentElement(component, message, view)),
      reactionsElement(message, view),
      appsMenu(3, view, (command) => view.act("useOnMessage", { message: message.id, command })),
      message.ephemeral ? el("div", { class: "note" }, `Only ${view.name(message.visible_to)} can see this`) : "",
    ),
  );
}

function isContinued(message, previous) {
  return (
    previous !== undefined &&
    previous.type !== 7 &&
    previous.author.id === message.author.id &&
    previous.author.username === message.author.username &&
    previous.ephemeral === message.ephemeral &&
    !message.interaction_metadata &&
    !message.referenced_message &&
    Date.parse(message.timestamp) - Date.parse(previous.timestamp) < 300_000
  );
}

function contextOf(message, view) {
  const { interaction_metadata: used, referenced_message: answered } = message;
  if (used) {
    const root = used.triggering_interaction_metadata ?? used;
    return el("div", { class: "context" }, `${view.name(root.user.id)} used ${usedName(root)}`);
  }
  return answered
    ? el("div", { class: "context" }, `↩ ${view.name(answered.author.id)}: ${answered.content.slice(0, 80)}`)
    : "";
}

function usedName({ name, command_type: type }) {
  if (!name) {
    return "a button or a menu";
  }
  return type === 1 ? `/${name}` : name;
}

function byline(message, view) {
  const { author } = message;
  const named = message.webhook_id && !message.interaction_metadata ? author.username : view.name(author.id);
  const name = el("span", { class: "author" }, named);
  name.style.color = view.colour(author.id);
  return el(
    "div",
    { class: "byline" },
    name,
    author.bot ? el("span", { class: "app-badge" }, "APP") : "",
    timeOf(message.timestamp),
  );
}

function timeOf(timestamp) {
  const date = new Date(timestamp);
  return el("time", { datetime: timestamp, title: date.toLocaleString() }, date.toLocaleTimeString());
}

function bodyOf(message, view) {
  if ((message.flags & LOADING) !== 0) {
    return el("div", { class: "thinking", title: "thinking…" }, el("span"), el("span"), el("span"));
  }
  if (!message.content) {
    return "";
  }
  const text = markup(message.content, view.name);
  if (message.edited_timestamp && !message.interaction_metadata) {
    text.append(el("span", { class: "edited" }, " (edited)"));
  }
  return text;
}

function embedElement(embed, view) {
  const box = el(
    "section",
    { class: "embed" },
    embed.author ? el("div", { class: "embed-author" }, embed.author.name) : "",
    embed.title
      ? el(
          "h3",
          {},
          embed.url
            ? el("a", { href: embed.url, rel: "noreferrer", target: "_blank" }, markup(embed.title, view.name))
            : markup(embed.title, view.name),
        )
      : "",
    embed.description ? markup(embed.description, view.name) : "",
    embed.fields?.length > 0
      ? el(
          "dl",
          { class: "fields" },
          ...embed.fields.map((field) =>
            el(
              "div",
              { class: field.inline ? "inline" : "" },
              el("dt", {}, markup(field.name, view.name)),
              el("dd", {}, markup(field.value, view.name)),
            ),
          ),
        )
      : "",
    footerOf(embed),
  );
  box.style.borderLeftColor = colourOf(embed.color);
  return box;
}

function footerOf({ footer, timestamp }) {
  const parts = [footer?.text, timestamp ? new Date(timestamp).toLocaleString() : undefined].filter(Boolean);
  return parts.length > 0 ? el("footer", {}, parts.join(" · ")) : "";
}

function componentElement(component, message, view) {
  switch (component.type) {
    case 1:
      return el(
        "div",
        { class: "row" },
        ...component.components.map((child) => componentElement(child, message, view)),
      );
    case 2:
      return buttonElement(component, message, view);
    case 3:
    case 5:
    case 6:
    case 7:
    case 8:
      return menuElement(component, message, view);
    case 9:
    case 17:
      return el(
        "section",
        { class: "embed" },
        ...component.components.map((child) => componentElement(child, message, view)),
        component.accessory ? componentElement(component.accessory, message, view) : "",
      );
    case 10:
      return markup(component.content, view.name);
    case 14:
      return el("hr");
    default:
      return el("div", { class: "note" }, `(component of type ${component.type})`);
  }
}

function buttonElement({ label, emoji, style, url, custom_id: customId, disabled }, message, view) {
  const shown = [emoji?.name, label].filter(Boolean).join(" ");
  if (url) {
    return el("a", { href: url, rel: "noreferrer", target: "_blank" }, `${shown} ↗`);
  }
  return el(
    "button",
    {
      type: "button",
      class: `style-${style}`,
      disabled: disabled || !view.acting,
      title: view.acting ? null : "Choose a person to press it",
      onclick: () => view.act("click", { message: message.id, button: customId }),
    },
    shown,
  );
}

function reactionsElement(message, view) {
  const pills = (message.reactions ?? []).map(({ emoji, count, me }) =>
    el(
      "button",
      {
        type: "button",
        disabled: !view.acting,
        "aria-pressed": String(me && view.acting),
        onclick: () => view.toggleReaction(message.id, emoji.name, me),
      },
      `${emoji.id ? `:${emoji.name}:` : emoji.name} ${count}`,
    ),
  );
  const quick =
    view.acting && !message.ephemeral
      ? el(
          "button",
          {
            type: "button",
            class: "quick",
            "aria-label": "React with thumbs up",
            onclick: () => view.toggleReaction(message.id, "👍", false),
          },
          "👍 +",
        )
      : "";
  return el("div", { class: "reactions" }, ...pills, quick);
}
