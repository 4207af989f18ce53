import type { ZodMiniType } from "zod/mini";
import { DiscordSimulatorError } from "../errors.js";
import { commandFaults, componentFaults, messageFaults, modalFaults } from "./limits.js";
import { type FieldFault, refuseFields } from "./refusal.js";

type Specification = typeof import("discord-api-spec/zod");
export type SchemaName = keyof Specification;
export type Body = Record<string, unknown>;

/** Checks bodies against Discord's own description and its documented limits; throws 50035. */
export interface PayloadCheck {
  /** Loads the schemas, which takes a moment; before it, every check throws. */
  load(): Promise<void>;
  check(schema: SchemaName, body: Body): void;
  message(schema: SchemaName, body: Body): void;
  modal(body: Body): void;
  command(schema: SchemaName, body: Body): void;
}

export function createPayloadCheck(): PayloadCheck {
  let specification: Specification | null = null;

  function faultsOf(schema: SchemaName, body: Body): FieldFault[] {
    if (!specification) {
      throw new DiscordSimulatorError("not_started", "The schemas are not loaded; call start() first.");
    }
    const result = (specification[schema] as ZodMiniType).safeParse(comparable(body));
    return result.success ? [] : (result.error.issues as unknown as Issue[]).flatMap((issue) => faultsIn(issue, body));
  }

  function throwIfAny(faults: readonly FieldFault[]): void {
    if (faults.length > 0) {
      throw refuseFields(faults);
    }
  }

  return {
    async load() {
      specification = await import("discord-api-spec/zod");
    },
    check: (schema, body) => throwIfAny(faultsOf(schema, body)),
    message(schema, body) {
      const data = (body.type === undefined ? body : (body.data ?? {})) as Body;
      const root = data === body ? [] : ["data"];
      throwIfAny(distinct([...faultsOf(schema, body), ...messageFaults(data, root), ...componentFaults(data, root)]));
    },
    modal(body) {
      throwIfAny(faultsOf("ModalInteractionCallbackRequestSchema", body));
      throwIfAny(modalFaults(body.data as Body));
    },
    command(schema, body) {
      throwIfAny(faultsOf(schema, body));
      throwIfAny(commandFaults(body));
    },
  };
}

/** One fault for each place: what the schema found comes first. */
function distinct(faults: readonly FieldFault[]): FieldFault[] {
  const seen = new Set<string>();
  return faults.filter(({ path }) => {
    const place = path.map(String).join(".");
    return seen.has(place) ? false : seen.add(place);
  });
}

/** The parts that Discord reads more leniently than its description says. */
function comparable(body: Body): Body {
  return JSON.parse(JSON.stringify(body), (key, value: unknown) => {
    if (key === "default_member_permissions" && typeof value === "string" && /^\d+$/.test(value)) {
      return Number(value);
    }
    if (key === "timestamp" && typeof value === "string" && !Number.isNaN(Date.parse(value))) {
      return new Date(value).toISOString();
    }
    return value;
  }) as Body;
}

/** What zod reports, as far as it is read here. */
interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly expected?: string;
  readonly origin?: string;
  readonly maximum?: number;
  readonly minimum?: number;
  readonly format?: string;
  readonly values?: readonly unknown[];
  readonly errors?: readonly (readonly Issue[])[];
}

function faultsIn(issue: Issue, body: unknown, base: readonly PropertyKey[] = []): FieldFault[] {
  const path = [...base, ...issue.path];
  if (issue.code === "invalid_union") {
    const branches = issue.errors ?? [];
    const meant = branches.find(
      (branch) => !branch.some((nested) => nested.path.length === 1 && nested.path[0] === "type"),
    );
    if (meant && meant.length > 0) {
      return meant.flatMap((nested) => faultsIn(nested, body, path));
    }
    const types = branches.flatMap((branch) => branch.find(({ path: at }) => at[0] === "type")?.values ?? []);
    return types.length > 0
      ? [
          {
            path: [...path, "type"],
            code: "UNION_TYPE_CHOICES",
            message: choices(
              'Value of field "type"',
              types.map(Number).sort((a, b) => a - b),
            ),
          },
        ]
      : [{ path, code: "BASE_TYPE_CHOICES", message: "The value is of none of the allowed kinds." }];
  }
  return [{ path, ...describe(issue, valueAt(body, path)) }];
}

function describe(issue: Issue, value: unknown): { code: string; message: string } {
  const { maximum, minimum, origin } = issue;
  if (value === undefined) {
    return { code: "BASE_TYPE_REQUIRED", message: "This field is required" };
  }
  switch (issue.code) {
    case "too_big":
      return origin === "string" || origin === "array"
        ? { code: "BASE_TYPE_MAX_LENGTH", message: `Must be ${maximum} or fewer in length.` }
        : { code: "NUMBER_TYPE_MAX", message: `int value should be less than or equal to ${maximum}.` };
    case "too_small":
      return origin === "string" || origin === "array"
        ? { code: "BASE_TYPE_MIN_LENGTH", message: `Must be ${minimum} or more in length.` }
        : { code: "NUMBER_TYPE_MIN", message: `int value should be greater than or equal to ${minimum}.` };
    case "invalid_value":
      return { code: "BASE_TYPE_CHOICES", message: choices("Value", issue.values ?? []) };
    case "invalid_format":
      if (issue.format === "url") {
        return { code: "URL_TYPE_INVALID_URL", message: "Not a well formed URL." };
      }
      return issue.format === "datetime"
        ? { code: "DATE_TIME_TYPE_PARSE", message: `Could not parse ${String(value)}. Should be ISO8601.` }
        : { code: "STRING_TYPE_REGEX", message: "String value did not match validation regex." };
    default:
      return describeType(issue.expected, value);
  }
}

function describeType(expected: string | undefined, value: unknown): { code: string; message: string } {
  switch (expected) {
    case "string":
      return { code: "STRING_TYPE_CONVERT", message: `Could not interpret "${String(value)}" as string.` };
    case "number":
    case "int":
      return { code: "NUMBER_TYPE_COERCE", message: `Value "${String(value)}" is not int.` };
    case "boolean":
      return { code: "BOOLEAN_TYPE_CONVERT", message: "Must be either true or false." };
    case "array":
      return { code: "LIST_TYPE_CONVERT", message: "Only iterables may be used in a ListType" };
    case "object":
    case "record":
      return { code: "DICT_TYPE_CONVERT", message: "Only dictionaries may be used in a DictType" };
    default:
      return { code: "BASE_TYPE_INVALID", message: `The value is not ${expected ?? "valid"}.` };
  }
}

function choices(subject: string, values: readonly unknown[]): string {
  return `${subject} must be one of (${values.map(String).join(", ")}).`;
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? (value as Body)[String(key)] : undefined),
    body,
  );
}
