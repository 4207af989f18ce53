import { el } from "./elements.js";

/** A menu of a message: one choice acts at once, several are sent with a button. */
export function menuElement(menu, message, view) {
  const options = optionsOf(menu, view);
  const send = (values) => view.act("select", { message: message.id, menu: menu.custom_id, values });
  const disabled = menu.disabled || !view.acting;
  const name = menu.placeholder ?? "Choose";
  if ((menu.max_values ?? 1) === 1) {
    const isChosen = options.some(({ chosen }) => chosen);
    const select = el(
      "select",
      {
        disabled,
        "aria-label": name,
        onchange: () => send(select.value === "" ? [] : [select.value]),
      },
      el("option", { value: "", disabled: (menu.min_values ?? 1) > 0, selected: !isChosen }, `${name}…`),
      ...options.map(({ label, value, chosen, title }) => el("option", { value, selected: chosen, title }, label)),
    );
    return select;
  }
  const boxes = options.map(({ label, value, chosen, title }) => ({
    value,
    label,
    title,
    box: el("input", { type: "checkbox", disabled, checked: chosen }),
  }));
  return el(
    "details",
    { class: "several" },
    el("summary", {}, name),
    ...boxes.map(({ box, label, title }) => el("label", { title }, box, label)),
    el(
      "button",
      {
        type: "button",
        class: "style-2",
        disabled,
        onclick: () => send(boxes.filter(({ box }) => box.checked).map(({ value }) => value)),
      },
      "Choose",
    ),
  );
}

function optionsOf(menu, view) {
  if (menu.options) {
    return menu.options.map((option) => ({
      label: option.label,
      value: option.value,
      title: option.description ?? null,
      chosen: option.default === true,
    }));
  }
  const chosen = (menu.default_values ?? []).map(({ id }) => id);
  return view.choicesFor(menu.type).map(({ label, value }) => ({
    label,
    value,
    title: null,
    chosen: chosen.includes(value),
  }));
}
