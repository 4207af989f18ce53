import { el } from "./elements.js";

/**
 * Shows a modal of an application until its fields are taken or it is closed. What `submit` refuses is said in it, so
 * that nothing that was typed is lost.
 */
export function askModal({ dialog, modal, view, submit }) {
  const inputs = modal.fields.map((field) => ({ field, ...inputOf(field, view) }));
  const problem = el("p", { class: "problem", role: "alert", hidden: true });
  const button = el("button", { type: "submit", class: "primary", value: "submit" }, "Submit");
  const fieldsOf = async () => {
    const values = inputs.map(async ({ field, value }) => [field.customId, await value()]);
    return Object.fromEntries((await Promise.all(values)).filter(([, value]) => value !== undefined));
  };
  const send = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await submit(await fieldsOf());
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      button.disabled = false;
    }
  };
  const form = el(
    "form",
    { method: "dialog", onsubmit: send },
    el("h2", {}, modal.title),
    ...inputs.flatMap(({ field, element }) => [
      el(
        "label",
        { for: idOf(field) },
        field.label,
        field.required && field.kind !== "checkbox" ? el("span", { class: "hint" }, " *") : "",
      ),
      field.description ? el("p", { class: "description" }, field.description) : "",
      element,
    ]),
    problem,
    el(
      "div",
      { class: "actions" },
      el("button", { type: "button", class: "plain", onclick: () => dialog.close() }, "Cancel"),
      button,
    ),
  );
  dialog.replaceChildren(form);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(), { once: true });
  });
}

const idOf = ({ customId }) => `field-${customId}`;

/** What a person fills in, and how its value is read. */
function inputOf(field, view) {
  switch (field.kind) {
    case "text":
      return textInput(field);
    case "checkbox": {
      const element = el("input", { id: idOf(field), type: "checkbox", checked: field.chosen.includes("true") });
      return { element, value: () => element.checked };
    }
    case "file": {
      const element = el("input", {
        id: idOf(field),
        type: "file",
        required: field.required,
        multiple: field.maxValues > 1,
      });
      return { element, value: () => Promise.all([...element.files].map(readFile)) };
    }
    case "radio":
    case "checkboxes":
      return boxes(field);
    default:
      return menu(field, field.kind === "entities" ? view.choicesFor(field.entityType) : field.options);
  }
}

function textInput(field) {
  const element = el(field.multiline ? "textarea" : "input", {
    id: idOf(field),
    required: field.required,
    minlength: field.minLength,
    maxlength: field.maxLength,
    placeholder: field.placeholder,
    rows: field.multiline ? 4 : null,
  });
  element.value = field.value ?? "";
  return { element, value: () => element.value };
}

function boxes(field) {
  const type = field.kind === "radio" ? "radio" : "checkbox";
  const choices = field.options.map(({ label, value, description }) => {
    const box = el("input", {
      type,
      name: idOf(field),
      value,
      checked: field.chosen.includes(value),
      required: type === "radio" && field.required,
    });
    return {
      value,
      box,
      element: el("label", { class: "choice" }, box, label, description ? el("small", {}, description) : ""),
    };
  });
  const group = el("fieldset", { id: idOf(field) }, ...choices.map(({ element }) => element));
  const picked = () => choices.filter(({ box }) => box.checked).map(({ value }) => value);
  // An optional group without a choice is left out, as Discord's client does.
  return { element: group, value: () => (type === "radio" && picked().length === 0 ? undefined : picked()) };
}

function menu(field, options) {
  const multiple = field.maxValues > 1;
  const element = el(
    "select",
    { id: idOf(field), required: field.required, multiple },
    multiple ? "" : el("option", { value: "" }, field.placeholder ?? "Choose…"),
    ...options.map(({ label, value }) => el("option", { value, selected: field.chosen.includes(value) }, label)),
  );
  return { element, value: () => [...element.selectedOptions].map(({ value }) => value).filter(Boolean) };
}

async function readFile(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (const byte of bytes) {
    binary += String.fromCharCode(byte);
  }
  return { filename: file.name, base64: btoa(binary), ...(file.type ? { contentType: file.type } : {}) };
}
