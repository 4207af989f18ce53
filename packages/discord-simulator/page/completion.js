import { el } from "./elements.js";
import { parseSlash } from "./slash.js";

/**
 * What can be put behind a slash: commands, options that are missing, and the choices of the option that is typed last,
 * which are asked of the application. `view` gives `commands()` and `autocomplete(input)`.
 */
export function createCompletion({ input, list, view }) {
  let asked = 0;

  function show(entries) {
    list.hidden = entries.length === 0;
    list.replaceChildren(
      ...entries.map(({ label, hint, text }) =>
        el(
          "button",
          {
            type: "button",
            onclick: () => {
              input.value = text;
              input.focus();
              return draw();
            },
          },
          label,
          el("span", {}, hint ?? ""),
        ),
      ),
    );
  }

  async function draw() {
    const text = input.value;
    asked += 1;
    const turn = asked;
    if (!text.startsWith("/")) {
      return show([]);
    }
    if (!text.includes(" ")) {
      return show(commandsFor(text));
    }
    const typed = lastOption(text);
    if (typed === null) {
      return show(optionsFor(text));
    }
    const choices = await choicesFor(text, typed);
    // A later key has asked again.
    return turn === asked ? show(choices) : undefined;
  }

  const commandsFor = (text) =>
    view
      .commands()
      .filter(({ name, type }) => type === 1 && `/${name}`.startsWith(text))
      .map(({ name, description, options }) => {
        const required = options.filter((option) => option.required || option.type <= 2).slice(0, 1);
        const rest = required.map((option) => (option.type <= 2 ? option.name : `${option.name}:`));
        return { label: `/${name}`, hint: description, text: [`/${name}`, ...rest].join(" ") };
      });

  const optionsFor = (text) => {
    const { options } = parseSlash(text, view.commands());
    return definitionsOf(text, view.commands())
      .filter(({ name, type }) => type > 2 && !Object.hasOwn(options, name))
      .map(({ name, description }) => ({ label: `${name}:`, hint: description, text: `${text.trimEnd()} ${name}:` }));
  };

  async function choicesFor(text, { name, value, start }) {
    const option = definitionsOf(text, view.commands()).find((one) => one.name === name);
    const put = (choice) => ({ label: choice.name, text: `${text.slice(0, start)}${choice.value} ` });
    if (option?.choices?.length > 0) {
      return option.choices.filter((choice) => choice.name.toLowerCase().startsWith(value.toLowerCase())).map(put);
    }
    if (option?.type === 5) {
      return ["true", "false"].filter((word) => word.startsWith(value)).map((word) => put({ name: word, value: word }));
    }
    if (!option?.autocomplete) {
      return [];
    }
    const { command, options } = parseSlash(text, view.commands());
    const { [name]: _focused, ...others } = options;
    return (await view.autocomplete({ command, option: name, text: value, options: others })).map(put);
  }

  return { draw, hide: () => show([]) };
}

/** The option behind the last colon, while it is still being typed. */
function lastOption(text) {
  const match = /\s([\w-]+):([^:]*)$/.exec(text);
  if (match === null || match[2].endsWith(" ")) {
    return null;
  }
  return { name: match[1], value: match[2], start: text.length - match[2].length };
}

function definitionsOf(text, commands) {
  const { command } = parseSlash(text, commands);
  const [name, ...path] = command.split(" ");
  let definitions = commands.find((one) => one.name === name && one.type === 1)?.options ?? [];
  for (const step of path) {
    definitions = definitions.find((option) => option.name === step)?.options ?? [];
  }
  return definitions;
}
