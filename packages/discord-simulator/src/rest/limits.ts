import { choiceFaults } from "./choice-limits.js";
import type { FieldFault } from "./refusal.js";

type Body = Record<string, unknown>;
type Path = readonly PropertyKey[];

/** Discord's documented limits that its machine-readable description does not hold. */
export const LIMITS = {
  contentCharacters: 2000,
  embedCharacters: 6000,
  nonceCharacters: 25,
  rows: 5,
  buttonsPerRow: 5,
  components: 40,
  modalComponents: 5,
  commandCharacters: 8000,
} as const;

export const FLAGS = { ephemeral: 64, loading: 128, componentsV2: 32_768 } as const;

const REQUIRED = { code: "BASE_TYPE_REQUIRED", message: "This field is required" } as const;

export function messageFaults(body: Body, root: Path): FieldFault[] {
  const faults: FieldFault[] = [];
  const content = body.content;
  if (typeof content === "string" && content.length > LIMITS.contentCharacters) {
    faults.push(tooLong([...root, "content"], LIMITS.contentCharacters));
  }
  if (typeof body.nonce === "string" && body.nonce.length > LIMITS.nonceCharacters) {
    faults.push(tooLong([...root, "nonce"], LIMITS.nonceCharacters));
  }
  const embeds = list(body.embeds);
  for (const [index, embed] of embeds.entries()) {
    for (const [fieldIndex, field] of list(embed.fields).entries()) {
      for (const key of ["name", "value"] as const) {
        if (String(field[key] ?? "").trim() === "") {
          faults.push({ path: [...root, "embeds", index, "fields", fieldIndex, key], ...REQUIRED });
        }
      }
    }
  }
  if (embeds.reduce((sum, embed) => sum + embedCharacters(embed), 0) > LIMITS.embedCharacters) {
    faults.push({
      path: [...root, "embeds"],
      code: "MAX_EMBED_SIZE_EXCEEDED",
      message: `Embed size exceeds maximum size of ${LIMITS.embedCharacters}`,
    });
  }
  return faults;
}

/** Title, description, field names and values, footer and author count towards the 6,000. */
export function embedCharacters(embed: Body): number {
  const footer = (embed.footer as Body | null | undefined)?.text;
  const author = (embed.author as Body | null | undefined)?.name;
  const fields = list(embed.fields).flatMap(({ name, value }) => [name, value]);
  return [embed.title, embed.description, footer, author, ...fields].reduce<number>(
    (sum, text) => sum + (typeof text === "string" ? text.trim().length : 0),
    0,
  );
}

export function componentFaults(body: Body, root: Path): FieldFault[] {
  const components = list(body.components);
  const path = [...root, "components"];
  const faults: FieldFault[] = [];
  const version2 = (Number(body.flags ?? 0) & FLAGS.componentsV2) !== 0;
  if (!version2 && components.length > LIMITS.rows) {
    faults.push({ path, code: "BASE_TYPE_BAD_LENGTH", message: `Must be between 1 and ${LIMITS.rows} in length.` });
  }
  for (const [index, component] of components.entries()) {
    if (!version2 && component.type !== 1) {
      faults.push({
        path: [...path, index, "type"],
        code: "UNION_TYPE_CHOICES",
        message: 'Value of field "type" must be one of (1,).',
      });
    }
  }
  if (version2) {
    for (const key of ["content", "embeds"] as const) {
      const value = body[key];
      if (value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && value.length === 0)) {
        faults.push({
          path: [...root, key],
          code: "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
          message: `The '${key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2`,
        });
      }
    }
  }
  const all = [...walk(components, path)];
  if (all.length > LIMITS.components) {
    faults.push({
      path,
      code: "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
      message: `The total number of components cannot exceed ${LIMITS.components}`,
    });
  }
  for (const { component, at } of all) {
    faults.push(...rowFaults(component, at), ...buttonFaults(component, at), ...choiceFaults(component, at));
  }
  return [...faults, ...duplicateFaults(all)];
}

interface Placed {
  readonly component: Body;
  readonly at: Path;
}

function* walk(components: readonly Body[], path: Path): Generator<Placed> {
  for (const [index, component] of components.entries()) {
    const at = [...path, index];
    yield { component, at };
    yield* walk(list(component.components), [...at, "components"]);
    for (const key of ["accessory", "component"] as const) {
      if (typeof component[key] === "object" && component[key] !== null) {
        yield { component: component[key] as Body, at: [...at, key] };
      }
    }
  }
}

function rowFaults(component: Body, at: Path): FieldFault[] {
  if (component.type !== 1) {
    return [];
  }
  const children = list(component.components);
  const buttons = children.filter(({ type }) => type === 2).length;
  const others = children.length - buttons;
  return buttons > LIMITS.buttonsPerRow || others > 1 || (others === 1 && buttons > 0)
    ? [
        {
          path: [...at, "components"],
          code: "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
          message: `The specified component exceeds the maximum width of ${LIMITS.buttonsPerRow}`,
        },
      ]
    : [];
}

function buttonFaults(component: Body, at: Path): FieldFault[] {
  if (component.type !== 2) {
    return [];
  }
  const faults: FieldFault[] = [];
  const isLink = component.style === 5;
  if (isLink && typeof component.url !== "string") {
    faults.push({ path: [...at, "url"], code: "BUTTON_COMPONENT_URL_REQUIRED", message: "A url is required" });
  }
  if (isLink && typeof component.custom_id === "string") {
    faults.push({
      path: at,
      code: "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
      message: "A custom id and url cannot both be specified",
    });
  }
  if (!isLink && component.style !== 6 && typeof component.custom_id !== "string") {
    faults.push({
      path: [...at, "custom_id"],
      code: "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED",
      message: "A custom id is required",
    });
  }
  if (!component.label && !component.emoji && component.style !== 6) {
    faults.push({
      path: [...at, "label"],
      code: "BUTTON_COMPONENT_INVALID_STYLE",
      message: "A label or emoji is required",
    });
  }
  return faults;
}

function duplicateFaults(placed: readonly Placed[]): FieldFault[] {
  const seen = new Set<string>();
  return placed.flatMap(({ component, at }) => {
    const customId = component.custom_id;
    if (typeof customId !== "string") {
      return [];
    }
    if (!seen.has(customId)) {
      seen.add(customId);
      return [];
    }
    return [
      {
        path: [...at, "custom_id"],
        code: "COMPONENT_CUSTOM_ID_DUPLICATED",
        message: "Component custom id cannot be duplicated",
      },
    ];
  });
}

export function modalFaults(data: Body): FieldFault[] {
  const components = list(data.components);
  const path = ["data", "components"];
  const faults: FieldFault[] = [];
  if (components.length > LIMITS.modalComponents) {
    faults.push({
      path,
      code: "BASE_TYPE_BAD_LENGTH",
      message: `Must be between 1 and ${LIMITS.modalComponents} in length.`,
    });
  }
  const all = [...walk(components, path)];
  for (const { component, at } of all) {
    faults.push(...choiceFaults(component, at));
    const inRow = at.at(-2) === "components" && at.length > 3;
    if (component.type === 4 && inRow && !component.label) {
      faults.push({ path: [...at, "label"], ...REQUIRED });
    }
    if (component.type === 4 && Number(component.min_length ?? 0) > Number(component.max_length ?? 4000)) {
      faults.push({
        path: [...at, "min_length"],
        code: "TEXT_INPUT_COMPONENT_INVALID_LENGTHS",
        message: "min_length must be less than or equal to max_length",
      });
    }
  }
  return [...faults, ...duplicateFaults(all)];
}

/** Names, required descriptions, the order of required options, and the total of 8,000 characters. */
export function commandFaults(body: Body): FieldFault[] {
  const isChatInput = (body.type ?? 1) === 1;
  const faults: FieldFault[] = [];
  if (isChatInput && typeof body.name === "string" && !isCommandName(body.name)) {
    faults.push({ path: ["name"], code: "APPLICATION_COMMAND_INVALID_NAME", message: "Command name is invalid" });
  }
  if (isChatInput && body.name !== undefined && !body.description) {
    faults.push({ path: ["description"], ...REQUIRED });
  }
  if (!isChatInput && body.description) {
    faults.push({
      path: ["description"],
      code: "APPLICATION_COMMAND_DESCRIPTION_NOT_ALLOWED",
      message: "Context menu commands cannot have description",
    });
  }
  faults.push(...optionFaults(list(body.options), ["options"]));
  if (commandCharacters(body) > LIMITS.commandCharacters) {
    faults.push({
      path: [],
      code: "APPLICATION_COMMAND_TOO_LARGE",
      message: `Command exceeds maximum size (${LIMITS.commandCharacters})`,
    });
  }
  return faults;
}

/** Names, descriptions and choices, through all options. */
function commandCharacters(node: Body): number {
  const own = [node.name, node.description, node.value].reduce<number>(
    (sum, text) => sum + String(text ?? "").length,
    0,
  );
  return [...list(node.options), ...list(node.choices)].reduce((sum, child) => sum + commandCharacters(child), own);
}

function optionFaults(options: readonly Body[], path: Path): FieldFault[] {
  const faults: FieldFault[] = [];
  const names = new Set<unknown>();
  let sawOptional = false;
  for (const [index, option] of options.entries()) {
    const at = [...path, index];
    if (typeof option.name === "string" && !isCommandName(option.name)) {
      faults.push({
        path: [...at, "name"],
        code: "APPLICATION_COMMAND_INVALID_NAME",
        message: "Option name is invalid",
      });
    }
    if (names.has(option.name)) {
      faults.push({
        path: [...at, "name"],
        code: "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
        message: "Option names must be unique",
      });
    }
    if (option.required === true && sawOptional) {
      faults.push({
        path: at,
        code: "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        message: "Required options must be placed before non-required options",
      });
    }
    names.add(option.name);
    sawOptional ||= option.required !== true;
    faults.push(...optionFaults(list(option.options), [...at, "options"]));
  }
  return faults;
}

function isCommandName(name: string): boolean {
  return /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u.test(name) && name === name.toLowerCase();
}

function tooLong(path: Path, limit: number): FieldFault {
  return { path, code: "BASE_TYPE_MAX_LENGTH", message: `Must be ${limit} or fewer in length.` };
}

function list(value: unknown): Body[] {
  return Array.isArray(value) ? (value.filter((item) => typeof item === "object" && item !== null) as Body[]) : [];
}
